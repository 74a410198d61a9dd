"""Reads for the pages: cached for all visitors, read-only, never waiting long for the database.

answer = read.one(conflicts.count_open)                     # a reader of scout_core and its values
answer = read.many(read.call(coverage.snapshot), read.call(coverage.count_reasons))  # one snapshot
answer.value, answer.at, answer.version, answer.is_late

A version stays the same as long as the value is equal. When the database
does not answer within WAIT seconds, the last good value is given with its time; DatabaseAway when
there is none.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from sqlalchemy import Connection

from scout_core import settings as settings_module
from scout_core.db.database import LOOK, Database, Profile, open_database
from scout_core.errors import DatabaseAway, DatabaseError, ScoutError
from scout_core.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

FRESH = 10.0  # seconds that a value is given without asking again; below the 12 s of a tick
SELDOM = 60.0  # the same for `seldom`
WAIT = 8.0  # seconds before the last good value is given instead
PROBE = 5.0  # seconds after a failure during which nobody else waits for the database
KEPT = 512  # last good values


@dataclass(frozen=True)
class Moment:
    """A time that is known when the reader runs, so that asking again a minute later is the same
    question, whose last good answer is still at hand."""

    offset: timedelta = timedelta()

    def __add__(self, offset: timedelta) -> "Moment":
        """So much later."""
        return Moment(self.offset + offset)

    def __sub__(self, offset: timedelta) -> "Moment":
        """So much earlier."""
        return Moment(self.offset - offset)


# For a reader that wants the time: read.call(health.assess, settings, read.NOW)
NOW: Any = Moment()


@dataclass(frozen=True)
class Call(Generic[T]):
    """A reader of scout_core with its values, to be run on a connection."""

    reader: Callable[..., T]
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...]

    def run(self, conn: Connection) -> T:
        """The reader's answer."""
        return self.reader(
            conn,
            *(_resolved(value) for value in self.args),
            **{name: _resolved(value) for name, value in self.kwargs},
        )


def _resolved(value: Any) -> Any:
    return now() + value.offset if isinstance(value, Moment) else value


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What was read: when (UTC), a number that changes with the value, and why it may be old."""

    value: T
    at: datetime
    version: int
    away_since: datetime | None = None

    @property
    def is_late(self) -> bool:
        """Whether the database was asked again since and did not answer."""
        return self.away_since is not None


@dataclass
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: Answer[Any] | None = None
    read_at: float = 0.0
    epoch: int = -1


class _Store:
    """The process's database and what was read from it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self.database: Database | None = None
        self.settings: Settings | None = None
        self.epoch = 0
        self.versions = 0
        self.away_since: datetime | None = None
        self.quiet_until = 0.0
        self.pool = ThreadPoolExecutor(12, thread_name_prefix="read")


_store = _Store()


def _first(values: tuple[Any, ...]) -> Any:
    return values[0]


def use(database: Database | None, settings: Settings | None = None) -> None:
    """Work on this database from now on and forget what was read; null = what the settings say."""
    _store.database, _store.settings = database, settings
    _store.away_since, _store.quiet_until = None, 0.0
    with _store.lock:
        _store.entries.clear()


def database() -> Database:
    """The database of this process, opened on first use."""
    with _store.lock:
        if _store.database is None:
            _store.database = open_database(settings())
        return _store.database


class Pool:
    """Connections of their own to the database of this process, opened on first use: who has many
    at work takes none from others."""

    def __init__(self, name: str, **size: int) -> None:
        self.name, self.size = name, size
        self.lock = threading.Lock()
        self.base: Database | None = None
        self.own: Database | None = None

    def __call__(self) -> Database:
        """The database; another one when the process works on another."""
        base = database()
        with self.lock:
            if self.own is None or self.base is not base:
                if self.own is not None:
                    self.own.dispose()
                self.base = base
                self.own = Database(base.url, application_name=self.name, **self.size)
            return self.own


def settings() -> Settings:
    """The settings of this process, loaded on first use."""
    if _store.settings is None:
        _store.settings = settings_module.load()
    return _store.settings


def now() -> datetime:
    """The time (UTC); readers get NOW, which is this when they run."""
    return datetime.now(UTC)


def forget() -> None:
    """Ask the database anew from now on: something was written. Last good values are kept."""
    _store.epoch += 1


def away_since() -> datetime | None:
    """Since when the database has not answered; null = it answers."""
    return _store.away_since


def call(
    reader: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
) -> Call[T]:
    """A reader with its values, for `many`. The values must be hashable."""
    return Call(reader, args, tuple(sorted(kwargs.items())))


def one(
    reader: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
) -> Answer[T]:
    """The answer of one reader. The values must be hashable."""
    return _read((call(reader, *args, **kwargs),), _first)


def within(
    seconds: float,
    reader: Callable[Concatenate[Connection, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Answer[T]:
    """As `one`, asked again after so many seconds."""
    return _read((call(reader, *args, **kwargs),), _first, seconds)


def many(*calls: Call[Any]) -> Answer[tuple[Any, ...]]:
    """The answers of several readers, all of one snapshot."""
    return _read(calls, lambda values: values)


def seldom(*calls: Call[Any]) -> Answer[tuple[Any, ...]] | None:
    """As `many`, asked again only after a minute: for readings that go through whole tables of the
    owner. null = the database answered with an error, as when a view of the owner raises."""
    try:
        return _read(calls, lambda values: values, SELDOM)
    except DatabaseError:
        return None


def guarded(work: Callable[[Connection], T], *, profile: Profile = LOOK, wait: float = WAIT) -> T:
    """Run `work` in a transaction, uncached; DatabaseAway when it takes longer than `wait`."""

    def in_transaction(base: Database) -> T:
        with base.transaction(profile) as conn:
            return work(conn)

    return awaited(in_transaction, wait=wait)


def awaited(work: Callable[[Database], T], *, wait: float) -> T:
    """Run `work`, which opens its own transactions; DatabaseAway when it takes longer than
    `wait`."""
    future: Future[T] = _store.pool.submit(work, database())
    try:
        return future.result(timeout=wait)
    except FutureTimeout as exc:
        # the driver cannot be interrupted: its thread ends with the connection's keepalive
        future.cancel()
        raise DatabaseAway() from exc


def _read(
    calls: tuple[Call[Any], ...],
    pick: Callable[[tuple[Any, ...]], Any],
    fresh: float = FRESH,
) -> Answer[Any]:
    entry = _entry((calls, pick is _first))
    if _is_fresh(entry, fresh):
        return _labelled(entry)
    # one visitor asks, the others of the same moment wait for that answer, no longer than it takes
    if not entry.lock.acquire(timeout=WAIT + 1):
        return _last_good(entry, DatabaseAway())
    try:
        if _is_fresh(entry, fresh):
            return _labelled(entry)
        if time.monotonic() < _store.quiet_until:
            return _last_good(entry, DatabaseAway())
        epoch = _store.epoch
        try:
            value = pick(guarded(lambda conn: tuple(c.run(conn) for c in calls)))
        except DatabaseError as exc:
            return _last_good(entry, exc)
        except DatabaseAway as exc:
            _store.away_since = _store.away_since or now()
            _store.quiet_until = time.monotonic() + PROBE
            return _last_good(entry, exc)
        _store.away_since = None
        entry.answer = Answer(value, now(), _version(entry, value))
        entry.read_at, entry.epoch = time.monotonic(), epoch
        return entry.answer
    finally:
        entry.lock.release()


def _entry(key: Hashable) -> _Entry:
    with _store.lock:
        entry = _store.entries.setdefault(key, _Entry())
        _store.entries.move_to_end(key)
        while len(_store.entries) > KEPT:
            _store.entries.popitem(last=False)
        return entry


def _is_fresh(entry: _Entry, fresh: float) -> bool:
    return (
        entry.answer is not None
        and entry.epoch == _store.epoch
        and time.monotonic() - entry.read_at < fresh
    )


def _labelled(entry: _Entry) -> Answer[Any]:
    assert entry.answer is not None  # noqa: S101 - told by _is_fresh
    return entry.answer


def _last_good(entry: _Entry, exc: ScoutError) -> Answer[Any]:
    if entry.answer is None:
        raise exc
    last = entry.answer
    return Answer(last.value, last.at, last.version, _store.away_since or now())


def _version(entry: _Entry, value: Any) -> int:
    if entry.answer is not None and entry.answer.value == value:
        return entry.answer.version
    with _store.lock:
        _store.versions += 1
        return _store.versions
