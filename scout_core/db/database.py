"""Connections: which role, which limits, and how a transaction begins and ends.

Everything is set for the transaction only, so that a transaction-pooling PgBouncer may stand
between. Errors of the driver become ours on the way (driver_errors).
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from scout_core import address
from scout_core.db import connecting, watchdog
from scout_core.db.driver_errors import wrapped_errors
from scout_core.errors import DatabaseAway, NotInstalled, WrongDatabase
from scout_core.settings import Settings

MINIMUM_VERSION = 150000
CONNECT_SECONDS = 5
# a statement that fails so fast met a connection that had died in the pool
STALE_SECONDS = 1.0
AWAY_SECONDS = 0.5
# every name of ours says its schema; temporary ones of a pooled connection come last, not first
SEARCH_PATH = "set local search_path = pg_catalog, pg_temp"
# The driver writes values into its statements, and the server writes statements into its log: those
# that fail, are slow, wait or are listed; and details of errors quote rows. Each may be set only by
# a superuser or a role that was granted SET on it. (log_transaction_sample_rate is not among them:
# a transaction is chosen before it can set anything.)
QUIET = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_statement": "none",
}
_MAY_QUIET = (
    "select bool_and(has_parameter_privilege(current_user, q.name, 'SET')) as by_login,"
    " bool_and(has_parameter_privilege(r.oid, q.name, 'SET')) as by_role"
    " from pg_catalog.unnest(cast(:names as text[])) as q (name)"
    " left join pg_roles as r on r.rolname in ('scout_writer', 'scout_reader')"
)


@dataclass(frozen=True)
class Profile:
    """Role and limits of a transaction. Timeouts in milliseconds, 0 = none."""

    name: str
    role: str | None
    lock_timeout: int
    statement_timeout: int
    is_read_only: bool = False
    is_snapshot: bool = False
    notices_dead_client: bool = False
    # wants persons as they are now, however much is pending
    is_exact: bool = False
    # seconds for the transaction as a whole; null = as long as the server can be reached (watch)
    wall_seconds: float | None = None


ADMIN = Profile("admin", None, 30_000, 0)
ADMIN_LOOK = Profile("admin look", None, 2_000, 60_000, is_read_only=True)
JOB = Profile("job", "scout_writer", 5_000, 300_000, notices_dead_client=True, is_exact=True)
# a person waits for it: the decision or review of one, or of the rows of a list
DECIDE = Profile(
    "decide",
    "scout_writer",
    3_000,
    15_000,
    notices_dead_client=True,
    is_exact=True,
    wall_seconds=30,
)
CONTROL = Profile("control", "scout_writer", 5_000, 15_000, wall_seconds=25)
LOOK = Profile(
    "look", "scout_reader", 2_000, 10_000, is_read_only=True, is_snapshot=True, wall_seconds=20
)
# the API: less patience than a page, which shows its last good answer meanwhile
API = Profile(
    "api", "scout_reader", 2_000, 5_000, is_read_only=True, is_snapshot=True, wall_seconds=8
)
# reads what the job reads: the plan and the invariants look at the source tables themselves
CHECK = Profile(
    "check", "scout_writer", 2_000, 300_000, is_read_only=True, is_snapshot=True, is_exact=True
)
# makes what is compared and is always rolled back
PROBE = Profile("probe", "scout_writer", 2_000, 60_000, wall_seconds=120)
# a minute for the lock: another settler lets go after each batch
SETTLE = Profile("settle", "scout_writer", 60_000, 300_000, notices_dead_client=True)


@dataclass(frozen=True)
class Capabilities:
    """What the server and the login allow, found out once per Database."""

    server_version: int
    is_installed: bool
    has_roles: bool
    notices_dead_client: bool
    # who may keep our statements out of the server's log; null = nobody, `doctor` says so
    quiet_as: Literal["login", "role"] | None


class Transaction:
    """One open transaction on a connection of its own; ended by commit or rollback."""

    def __init__(self, conn: Connection, guard: watchdog.Guard) -> None:
        self.conn = conn
        self._guard = guard

    def commit(self) -> None:
        """Commit and give the connection back."""
        with wrapped_errors():
            try:
                self.conn.commit()
            finally:
                self._guard.end()
                self.conn.close()

    def rollback(self) -> None:
        """Roll back and give the connection back; a lost connection is rolled back already."""
        if self.conn.closed:
            self._guard.end()
            return
        try:
            self.conn.rollback()
        except DBAPIError:
            self.conn.invalidate()
        finally:
            self._guard.end()
            self.conn.close()


class Database:
    """A database to work on. Opens connections when they are needed: pool_size are kept, overflow
    more may be open; who gets none within three seconds is told so."""

    def __init__(
        self,
        url: str,
        *,
        application_name: str = "scout",
        pool_size: int = 5,
        overflow: int = 10,
    ) -> None:
        self.url = url
        self._asking = threading.Lock()
        self._capabilities: Capabilities | None = None
        self._away_until = 0.0
        try:
            parsed = address.read(url)
            arguments = {
                "client_encoding": connecting.CLIENT_ENCODING,
                "application_name": application_name,
                "connect_timeout": CONNECT_SECONDS,
                "tcp_user_timeout": 10_000,
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
            }
            self._engine = connecting.engine(
                url,
                arguments=arguments,
                pool_size=pool_size,
                max_overflow=overflow,
                pool_timeout=3,
            )
            given, named = self._engine.dialect.create_connect_args(parsed)
            self._probe_arguments = (given, {**named, **arguments})
        except (NoSuchModuleError, ValueError, TypeError) as exc:
            raise WrongDatabase(
                "DATABASE_URL is not the address of a PostgreSQL database: "
                "write postgresql://user:password@host:5432/database."
            ) from exc

    @property
    def capabilities(self) -> Capabilities:
        """Server version, whether we are installed, and whether roles can be taken.

        One thread asks; who waited for it and heard that nobody answers does not ask again.
        """
        with self._asking:
            if self._capabilities is None:
                if time.monotonic() < self._away_until:
                    raise DatabaseAway()
                try:
                    self._capabilities = self._ask()
                except DatabaseAway:
                    self._away_until = time.monotonic() + AWAY_SECONDS
                    raise
            return self._capabilities

    def _ask(self) -> Capabilities:
        with wrapped_errors(), self._engine.connect() as conn, self._watched(conn, API):
            conn.exec_driver_sql(SEARCH_PATH)
            version = int(conn.scalar(text("show server_version_num")) or 0)
            if version < MINIMUM_VERSION:
                raise WrongDatabase(
                    f"This server is PostgreSQL {version // 10000}; 15 or newer is needed: "
                    "upgrade it or point DATABASE_URL at a newer one."
                )
            membership = "SET" if version >= 160000 else "MEMBER"
            owner = conn.scalar(
                text(
                    "select pg_get_userbyid(n.nspowner) from pg_namespace as n"
                    " where n.nspname = 'scout'"
                )
            )
            has_roles = owner == "scout_owner" and bool(
                conn.scalar(
                    text(
                        "select count(*) = 2 from pg_roles as r"
                        " where r.rolname in ('scout_writer', 'scout_reader')"
                        " and pg_has_role(current_user, r.oid, :membership)"
                    ),
                    {"membership": membership},
                )
            )
            if owner == "scout_owner" and not has_roles:
                raise WrongDatabase(
                    "The login of DATABASE_URL may not take the roles scout_writer and "
                    "scout_reader: run `init` with the login that installed, or grant them to it."
                )
            try:
                conn.execute(text("set local client_connection_check_interval = 2000"))
                notices = True
            except DBAPIError:
                notices = False  # not on this platform of the server
            conn.rollback()
            # it was set for the transaction that has just ended
            conn.exec_driver_sql(SEARCH_PATH)
            quiet = conn.execute(text(_MAY_QUIET), {"names": list(QUIET)}).one()
            conn.rollback()
            quiet_as: Literal["login", "role"] | None = None
            if quiet.by_login:
                quiet_as = "login"
            elif has_roles and quiet.by_role:
                quiet_as = "role"
            return Capabilities(version, owner is not None, has_roles, notices, quiet_as)

    def begin(self, profile: Profile) -> Transaction:
        """Open a transaction under `profile`. NotInstalled when it needs a role and we are not."""
        if profile.role is not None and not self.capabilities.is_installed:
            self.forget()
            raise NotInstalled()
        with wrapped_errors():
            began = time.monotonic()
            try:
                return self._open(profile)
            except DBAPIError as exc:
                is_stale = time.monotonic() - began < STALE_SECONDS
                if not (exc.connection_invalidated and is_stale):
                    raise
            return self._open(profile)

    def _open(self, profile: Profile) -> Transaction:
        conn = self._engine.connect()
        guard = self._guard(conn, profile)
        try:
            conn.exec_driver_sql(self._preamble(profile))
        except BaseException:
            guard.end()
            conn.close()
            raise
        return Transaction(conn, guard)

    def _guard(self, conn: Connection, profile: Profile) -> watchdog.Guard:
        driver: Any = conn.connection.dbapi_connection
        # how a run ended is kept in a short one of CONTROL, above all when it is being stopped
        cancel = None if profile is CONTROL else driver.cancel
        return watchdog.guard(driver.fileno, profile.wall_seconds, self._probe, cancel)

    @contextmanager
    def _watched(self, conn: Connection, profile: Profile) -> Iterator[None]:
        guard = self._guard(conn, profile)
        try:
            yield
        finally:
            guard.end()

    def _probe(self) -> None:
        """Reach the server by a connection of its own; an error of the driver when it cannot be."""
        self._engine.dialect.connect(*self._probe_arguments[0], **self._probe_arguments[1]).close()

    @contextmanager
    def transaction(self, profile: Profile) -> Iterator[Connection]:
        """A connection in a transaction under `profile`: committed at the end, else rolled back."""
        with wrapped_errors():
            transaction = self.begin(profile)
            try:
                yield transaction.conn
            except BaseException:
                transaction.rollback()
                raise
            transaction.commit()

    def forget(self) -> None:
        """Find the capabilities out anew: after an installation."""
        self._capabilities = None

    def dispose(self) -> None:
        """Close the connections that are kept open."""
        self._engine.dispose()

    def _preamble(self, profile: Profile) -> str:
        mode = "repeatable read" if profile.is_snapshot else "read committed"
        # never "read write": that would undo what the database was set to, and fails on a standby
        access = " read only" if profile.is_read_only else ""
        lines = [f"set transaction isolation level {mode}{access}"]
        quiet = [f"set local {name} = '{value}'" for name, value in QUIET.items()]
        if profile.role and self.capabilities.quiet_as == "login":
            lines += quiet
        if profile.role and self.capabilities.has_roles:
            lines.append(f"set local role {profile.role}")
            if self.capabilities.quiet_as == "role":
                lines += quiet
        if profile.notices_dead_client and self.capabilities.notices_dead_client:
            lines.append("set local client_connection_check_interval = 2000")
        lines += [
            f"set local lock_timeout = {profile.lock_timeout}",
            f"set local statement_timeout = {profile.statement_timeout}",
            "set local idle_in_transaction_session_timeout = 600000",
            "set local timezone = 'UTC'",
            "set local datestyle = 'ISO, YMD'",
            SEARCH_PATH,
            # an error where row level security would hide rows: on a part of the evidence a wrong
            # scout would be written
            "set local row_security = off",
            "set local jit = off",
            "set local work_mem = '64MB'",
        ]
        if profile.is_exact:
            lines.append("set local scout.exact = 'on'")
        return "; ".join(lines)


def open_database(settings: Settings, **pool: Any) -> Database:
    """The database of DATABASE_URL; without it the embedded one, started when it is not up.

    pool: what Database takes beside the address.
    """
    if settings.database_url:
        return Database(settings.database_url, **pool)
    from scout_core import embedded

    return Database(embedded.start(settings.data_dir).url, **pool)
