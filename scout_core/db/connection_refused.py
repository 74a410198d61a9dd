"""Why no connection came about: what the driver said, what it means, and what to do.

Such an error has no SQLSTATE: it is told by the words of the driver, which are English, and those
of the server, English or Spanish. Only what passes by itself is DatabaseAway; anything else waits
for somebody who mends it.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from sqlalchemy.exc import DBAPIError

from scout_core.errors import DatabaseAway, DatabaseReadOnly, WrongDatabase

LOST = (
    "The connection to the database was lost: check that it is up, and that a pooler before it has "
    "connections free, then try again."
)
LONGEST = 300


@dataclass(frozen=True)
class _Cause:
    words: re.Pattern[str]
    what: str
    todo: str


def _cause(words: str, what: str, todo: str) -> _Cause:
    return _Cause(re.compile(words, re.IGNORECASE), what, todo)


# the first that fits; the more special one first
_MENDED: tuple[_Cause, ...] = (
    _cause(
        r"root certificate",
        "The certificate of the server cannot be checked",
        "put the certificate of its authority where sslrootcert in DATABASE_URL says, or write "
        "sslrootcert=system for one that this machine trusts",
    ),
    _cause(
        r"does not match host name",
        "The certificate of the server is for another name",
        "write the host in DATABASE_URL as the certificate has it, or have one made for this host",
    ),
    _cause(
        r"certificate verify failed|unable to get (local )?issuer|self[- ]signed certificate",
        "The certificate of the server is of no authority that is trusted here",
        "name the certificate of its authority by sslrootcert in DATABASE_URL",
    ),
    _cause(
        r"certificate file|private key|client certificate|certificate authentication failed",
        "The certificate of this client cannot be used",
        "mend sslcert and sslkey in DATABASE_URL, or the rights of the files",
    ),
    _cause(
        r"does not support SSL|SSL connection is required|channel binding",
        "Server and DATABASE_URL do not agree about TLS",
        "mend sslmode and channel_binding in DATABASE_URL",
    ),
    _cause(
        r"authentication failed|no password supplied|autentifica|password is required",
        "The database refused the login",
        "check user and password in DATABASE_URL",
    ),
    _cause(
        r"no pg_hba|pg_hba\.conf",
        "The database refused the login: its pg_hba.conf lets nobody in that way",
        "check user and sslmode in DATABASE_URL, or let an administrator add a line to pg_hba.conf",
    ),
    _cause(
        r"permission denied for database|permiso denegado a la base",
        "The login may not connect to this database",
        "let its owner run `grant connect on database NAME to LOGIN`",
    ),
    _cause(
        r'(database|base de datos) ["«].*["»] (does not exist|no existe)|no existe la base'
        r"|no such database",
        "The server has no such database",
        "check its name in DATABASE_URL or create it",
    ),
    _cause(
        r'role ["«].*["»] (does not exist|is not permitted)|no existe el rol|no such user'
        r"|not permitted to log in|no tiene permitido conectarse",
        "The database knows no such user, or lets it not log in",
        "check the user in DATABASE_URL",
    ),
    _cause(
        r"not currently accepting connections|base de datos «.*no acepta conexiones"
        r"|database .* is disabled",
        "The database is closed for connections",
        "let its administrator open it, or use another one",
    ),
    _cause(
        r"unsupported startup parameter",
        "The pooler does not let a parameter through",
        "let it ignore that parameter (ignore_startup_parameters of PgBouncer)",
    ),
    _cause(
        r"invalid (connection option|port|dsn|integer|.*\bvalue\b)|unrecognized|number of hosts"
        r"|could not match|invalid value|wrong number of fields|definition of service",
        "A parameter of DATABASE_URL has a value that there is not",
        "correct or remove it",
    ),
)
_FULL = re.compile(
    r"too many (clients|connections)|connection slots|no more connections allowed"
    r"|demasiad[ao]s (clientes|conexiones)|conexiones restantes est",
    re.IGNORECASE,
)
_READ_ONLY = re.compile(r"session is read-only|server is in hot standby", re.IGNORECASE)
_PASSES = re.compile(
    r"connection refused|timeout|timed out|try again|temporary failure|unreachable|no route"
    r"|reset by peer|closed the connection|connection has been closed|broken pipe|SSL SYSCALL"
    r"|(starting|shutting|iniciándose|apagándose|está iniciando|se está apagando)"
    r"|recovery mode|modo de recuperaci|not (yet )?accepting|on socket .* No such file"
    r"|administrator command|login has been failing|cannot connect to server|not in hot standby"
    r"|session is not read-only|crash of another server",
    re.IGNORECASE,
)
_OF_A_HOST = re.compile("connection to|could not|invalid")
_NO_HOST = re.compile(r"could not translate host name", re.IGNORECASE)


def raise_ours(said: str, exc: DBAPIError) -> NoReturn:
    """Raise what an error of the driver without SQLSTATE means."""
    lines = _lines(said)
    # Several hosts are tried in turn; a server that refused the login ended that, so the last line
    # is about it. Else one host that may come back is enough.
    mended = next(
        (c for line in lines[-1:] for c in _MENDED if c.words.search(line)),
        None,
    )
    if mended is not None:
        raise WrongDatabase(_told(mended.what, lines[-1], mended.todo)) from exc
    if any(_FULL.search(line) for line in lines):
        raise DatabaseAway(
            "The database takes no more connections of this login: try again in a moment; if it "
            "lasts, close some or raise its limit (max_connections, or that of the login).",
            sqlstate="53300",
        ) from exc
    # a connection that was cut gives no SQLSTATE either
    if exc.connection_invalidated or exc.statement is not None:
        raise DatabaseAway(LOST) from exc
    standby = next((line for line in lines if _READ_ONLY.search(line)), None)
    if standby is not None:
        raise DatabaseReadOnly(
            f"No server that takes writes was found ({standby}): try again when there is a primary."
        ) from exc
    passes = next((line for line in lines if _PASSES.search(line)), None)
    if passes is not None:
        raise DatabaseAway(
            f"The database does not answer. The driver says: {passes}. Check that it runs and can "
            "be reached, then try again."
        ) from exc
    for line in lines:
        for cause in _MENDED:
            if cause.words.search(line):
                raise WrongDatabase(_told(cause.what, line, cause.todo)) from exc
    line = lines[0] if lines else "no message"
    if _NO_HOST.search(line):
        todo = "check the host in DATABASE_URL, and that this machine can look names up"
        raise WrongDatabase(_told("There is no host of this name", line, todo)) from exc
    raise WrongDatabase(
        _told("The database cannot be reached", line, "check DATABASE_URL and the server")
    ) from exc


def _told(what: str, line: str, todo: str) -> str:
    return f"{what} ({line}): {todo}."


def _lines(said: str) -> list[str]:
    """What was said of each host, without hints and details, each on one line."""
    found: list[str] = []
    for line in said.splitlines():
        words = " ".join(line.split()).rstrip(".")
        if words and (not found or _OF_A_HOST.match(line)):
            found.append(words[:LONGEST])
    return found
