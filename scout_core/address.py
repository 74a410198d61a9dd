"""The address of a database as people have it, in the form of SQLAlchemy and the driver.

Taken as they are met: `postgres://`, several hosts with a comma between, sockets, IPv6, a password
with @ / ? or # in it, parameters that only drivers of other languages know.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

import psycopg2.extensions
from sqlalchemy.engine import URL

DRIVER = "postgresql+psycopg2"
SCHEMES = ("postgres", "postgresql", DRIVER, "postgresql+psycopg")
FORM = "write postgresql://user:password@host:5432/database"
LAST_PORT = 65535

# Parameters of other drivers that say how that driver works: nothing for ours. In lower case.
FOREIGN = frozenset(
    (
        *("pgbouncer", "schema", "connection_limit", "pool_timeout", "socket_timeout"),
        *("statement_cache_size", "sslaccept", "sslidentity", "pool_size", "max_overflow"),
        *("pool_max_conns", "pool_min_conns", "pool_mode", "prepared_statements", "supa"),
        *("prepare_threshold", "preparethreshold", "prepared_statement_cache_size"),
        *("currentschema", "uselibpqcompat", "async_fallback", "command_timeout", "pool"),
        *("tcpkeepalive", "sockettimeout", "logintimeout", "rewritebatchedinserts"),
    )
)
# what other drivers call sslmode
_SSL = {"true": "require", "1": "require", "false": None, "0": None}
_HOST = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+(?:%25\w+)?\]|%2F[\w%.~-]*|[\w.-]*)(?::(?P<port>[^:]*))?",
    re.IGNORECASE,
)
_REST = re.compile(r"(?P<hosts>[^/?@]*)(?:/(?P<database>[^?@]*))?(?:\?(?P<query>.*))?", re.DOTALL)


def read(url: str) -> URL:
    """The address. ValueError says what is wrong with it, and repeats nothing of it that may be
    secret."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError(f"the address of a PostgreSQL database: {FORM}")
    wrong: ValueError | None = None
    for login, place in _divided(rest):
        try:
            return _read(login, place)
        except ValueError as exc:
            wrong = wrong or exc
    raise wrong or ValueError


def _divided(rest: str) -> Iterator[tuple[str | None, str]]:
    """Where the login may end: as the standard has it; then, from the right, at any other @, for a
    password that was not percent-encoded."""
    end = re.search(r"[/?]", rest)
    at = rest.rfind("@", 0, end.start() if end else len(rest))
    yield (None, rest) if at < 0 else (rest[:at], rest[at + 1 :])
    for other in reversed([found.start() for found in re.finditer("@", rest)]):
        if other != at:
            yield rest[:other], rest[other + 1 :]


def _read(login: str | None, place: str) -> URL:
    found = _REST.fullmatch(place)
    if found is None:
        raise ValueError(f"an address that can be read: {FORM}, special characters percent-encoded")
    query = _query(found["query"])
    user, given, password = (login or "").partition(":")
    parts = [_HOST.fullmatch(part) for part in found["hosts"].split(",")]
    if not all(parts):
        raise ValueError(f"an address that can be read: {FORM}, special characters percent-encoded")
    hosts = [unquote(part["host"]).strip("[]") for part in parts if part]
    ports = [_port(part["port"]) for part in parts if part]
    host, port = hosts[0] or None, ports[0]
    if len(hosts) > 1 or hosts[0].startswith("/"):
        # several hosts, or the folder of a socket: as libpq has them
        query["host"] = ",".join(hosts)
        if any(ports):
            query["port"] = ",".join("" if p is None else str(p) for p in ports)
        host, port = None, None
    return URL.create(
        DRIVER,
        username=unquote(user) or None,
        password=unquote(password) if given else None,
        host=host,
        port=port,
        database=unquote(found["database"]) if found["database"] else None,
        query=query,
    )


def _port(given: str | None) -> int | None:
    if not given:
        return None
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given) <= LAST_PORT:
        raise ValueError(
            f"an address whose port is a number of 1 to {LAST_PORT:,}: {FORM}, special characters "
            "percent-encoded"
        )
    return int(given)


def _query(given: str | None) -> dict[str, str | tuple[str, ...]]:
    """The parameters that our driver knows. Of one that stands there twice the last, but `host`,
    which SQLAlchemy repeats for several."""
    found: dict[str, str | tuple[str, ...]] = {}
    for piece in (given or "").split("&"):
        name, separator, value = (unquote_plus(part) for part in piece.partition("="))
        if not piece:
            continue
        if not separator:
            raise ValueError(f"an address whose parameters have the form name=value: {FORM}")
        if name == "ssl":
            mode = _SSL.get(value.lower(), value)
            found |= {"sslmode": mode} if mode and "sslmode" not in found else {}
        elif name == "host" and name in found:
            before = found[name]
            found[name] = (*((before,) if isinstance(before, str) else before), value)
        elif is_known(name):
            found[name] = value
        elif name.lower() not in FOREIGN:
            raise ValueError(
                f"an address whose parameters the driver knows; {_named(name)} is none of them, "
                "as sslmode and target_session_attrs are"
            )
    return found


def is_known(name: str) -> bool:
    """Whether the driver knows a parameter of this name."""
    if not re.fullmatch("[a-z_]+", name):
        return False
    try:
        psycopg2.extensions.parse_dsn(f"{name}=1")
    except psycopg2.ProgrammingError:
        return False
    return True


def _named(name: str) -> str:
    # what looks like no parameter may be a piece of a password
    return name if re.fullmatch("[A-Za-z]+(_[A-Za-z]+)*", name) else "one"
