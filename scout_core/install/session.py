"""What every step of the installation shares: connections, the lock, and the account of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from scout_core.db.database import ADMIN, Database
from scout_core.errors import InstallError
from scout_core.install.tree import SQL_ROOT, statements

# Not the lock of the runs: a run may be at work while `init` looks around.
_LOCK = (1396920149, 2)
_LOCK_PATIENCE_SECONDS = 600

INSUFFICIENT_PRIVILEGE = "42501"
INVALID_TABLE_DEFINITION = "42P16"
UNDEFINED_COLUMN = "42703"
DEPENDENT_OBJECTS = "2BP01"
LOCK_NOT_AVAILABLE = "55P03"
DUPLICATE = frozenset({"42710", "23505"})


# Connection lost, server stopping or out of room, database read-only: the database module says it.
_NOT_ABOUT_THE_STATEMENT = frozenset({"08", "25", "53", "57", "58"})


class StatementRefused(InstallError):
    """The database refused a statement of the installation.

    code is the five-letter SQLSTATE, words and detail are the server's own, on one line.
    """

    def __init__(self, cause: object) -> None:
        diag = getattr(cause, "diag", None)
        self.code: str = getattr(cause, "pgcode", None) or ""
        self.words = _one_line(getattr(diag, "message_primary", None) or str(cause))
        self.detail = _one_line(getattr(diag, "message_detail", None) or "")
        super().__init__(
            f"The database refused a statement of the installation: {self.words}. What was begun "
            "was rolled back; mend the cause and try again."
        )


@dataclass(frozen=True)
class InstallReport:
    """What an installation did and what it had to do without; both empty = nothing to do."""

    done: tuple[str, ...]
    lost: tuple[str, ...]
    has_separate_roles: bool

    @property
    def is_nothing(self) -> bool:
        """True when nothing in the database was changed."""
        return not self.done


@dataclass
class Installer:
    """One installation at work. `owner` is the role that owns what is ours; None = the login."""

    db: Database
    report: Callable[[str], None]
    sql_root: Path = SQL_ROOT
    owner: str | None = None
    done: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def did(self, line: str) -> None:
        """Note and tell a change."""
        self.done.append(line)
        self.report(line)

    def misses(self, line: str) -> None:
        """Note and tell what is lost for lack of a right."""
        self.lost.append(line)
        self.report(line)

    @contextmanager
    def as_login(self, *, lock_seconds: int = 60) -> Iterator[Connection]:
        """A transaction of the login itself."""
        with self.db.transaction(ADMIN) as conn:
            run_script(conn, f"set local lock_timeout = '{int(lock_seconds)}s'")
            run_script(conn, "set local statement_timeout = 0")
            yield conn

    @contextmanager
    def as_owner(self) -> Iterator[Connection]:
        """A transaction of the role that owns what is ours."""
        with self.as_login() as conn:
            if self.owner:
                run_formatted(conn, "set local role %I", self.owner)
            yield conn


@contextmanager
def exclusive(db: Database, report: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock of the installation for this database.

    Waits by asking again: a statement that waits inside the server keeps a snapshot, and an index
    that is built concurrently would wait for it in turn.
    """
    started = time.monotonic()
    told = False
    while True:
        with db.transaction(ADMIN) as conn:
            if conn.execute(
                text("select pg_try_advisory_xact_lock(:space, :key)"),
                {"space": _LOCK[0], "key": _LOCK[1]},
            ).scalar_one():
                run_script(conn, "set local idle_in_transaction_session_timeout = 0")
                yield
                return
        if time.monotonic() - started > _LOCK_PATIENCE_SECONDS:
            raise InstallError(
                "Another init or uninstall has been at work on this database for ten minutes: "
                "nothing was done. Look whether it is stuck, then try again."
            )
        if not told:
            report("Another init or uninstall is at work on this database: waiting for it.")
            told = True
        time.sleep(0.2)


def run_script(conn: Connection, script: str) -> None:
    """Run SQL text as it stands, one statement or several. Raises StatementRefused."""
    try:
        conn.exec_driver_sql(script, execution_options={"no_parameters": True})
    except DBAPIError as exc:
        code = getattr(exc.orig, "pgcode", None)
        if exc.connection_invalidated or not code or code[:2] in _NOT_ABOUT_THE_STATEMENT:
            raise
        raise StatementRefused(exc.orig) from exc


def run_formatted(conn: Connection, template: str, *values: str) -> None:
    """Run a statement whose %I (identifier) and %L (literal) places the server fills and quotes."""
    statement = conn.execute(
        text("select pg_catalog.format(cast(:template as text), variadic cast(:parts as text[]))"),
        {"template": template, "parts": list(values)},
    ).scalar_one()
    run_script(conn, statement)


def ask(conn: Connection, name: str, /, **values: object) -> list[Row[Any]]:
    """Rows of a named query of sql/install/catalog.sql."""
    return list(conn.execute(text(statements("catalog")[name]), values))


def _one_line(words: str) -> str:
    return " ".join(words.split())
