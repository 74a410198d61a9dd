"""Settling: keep the stored state of persons in step with what was touched.

Readers never need it, they add what is pending themselves; it makes their work small. Each batch is
a transaction of its own under one lock, so whoever settles can be killed at any moment.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from scout_core import logs
from scout_core.db import locks, row_security, sql, stopping
from scout_core.db.database import SETTLE, Database
from scout_core.errors import DatabaseError, RowsHidden, ScoutError

Progress = Callable[[int, int], None]

# as many as readers add to what is settled by themselves (scout.pending_limit)
BATCH_ROWS = 10_000
# source rows above which a batch is planned anew: the plan that the session kept may be one for
# tables that were empty, and looks through all of one for each person
PLANNED_ROWS = 100
# persons a transaction when everything is settled: what a pass compares fits into work_mem
RANGE_ROWS = 50_000
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
_LOCK_KEY = 2_000

_log = logs.get_logger("settle")


@dataclass(frozen=True)
class State:
    """How persons are read now. as_of is now, unless settled values are shown (is_exact false).

    mode: LIVE (no state built), TRACKED, REBUILT (no triggers: true as of the last run). pending:
    touched source rows that wait, counted up to one more than the limit of readers.
    """

    mode: str
    reading: str
    as_of: datetime | None
    is_exact: bool
    pending_count: int
    built_at: datetime | None


@dataclass(frozen=True)
class Settled:
    """What was settled: touched source rows taken, persons recomputed, of those changed.

    is_busy: somebody else was settling, so this did nothing or stopped early.
    """

    entries: int = 0
    persons: int = 0
    changed: int = 0
    is_busy: bool = False

    def __add__(self, other: "Settled") -> "Settled":
        """Both together."""
        return Settled(
            self.entries + other.entries,
            self.persons + other.persons,
            self.changed + other.changed,
            self.is_busy or other.is_busy,
        )


def state(conn: Connection) -> State:
    """How persons are read on this snapshot. Reads scout.v_state."""
    return State(**conn.execute(sql.query("attribution/settle", "of_now")).mappings().one())


def settle(
    db: Database,
    *,
    batch_rows: int = BATCH_ROWS,
    max_batches: int | None = None,
    wait: bool = False,
    may_rebuild: bool = True,
    progress: Progress | None = None,
) -> Settled:
    """Settle what is pending, batch by batch, until nothing is left or `max_batches` are done.

    With `wait`, each batch waits for another settler; else the call returns with is_busy. A bulk
    load, or a state that was never built, is settled in one pass over everything instead; with
    `may_rebuild` also what changed without a note.
    """
    with db.transaction(SETTLE) as conn:
        row_security.check(conn)
        load = conn.execute(sql.query("attribution/settle", "load")).one()
    if (load.is_whole or (load.is_unnoted and may_rebuild)) and max_batches is None:
        return build(db, wait=wait, progress=progress)
    if load.is_blind:
        # readers say from when their numbers are until the next run has looked everything up
        with db.transaction(SETTLE) as conn:
            conn.execute(sql.query("attribution/settle", "lose_track"))
    done = Settled()
    batches = 0
    while max_batches is None or batches < max_batches:
        is_large = batches > 0 or load.entry_count > PLANNED_ROWS
        batch = _settle_batch(db, wait=wait, row_limit=batch_rows, is_large=is_large)
        done += batch
        batches += 1
        if progress is not None:
            progress(done.entries, max(load.entry_count, done.entries))
        if batch.is_busy or batch.entries < batch_rows:
            break
    return done


def build(
    db: Database,
    *,
    definition: str | None = None,
    wait: bool = True,
    progress: Progress | None = None,
) -> Settled:
    """Settle every person anew, range by range: the first time, after a restore, a bulk load.

    Readers go on meanwhile: with what was settled before, labelled with its time. Killed at any
    moment, it has lost nothing but time. `definition` is noted as what the rows were built from.
    """
    with db.transaction(SETTLE) as conn:
        row_security.check(conn)
        if not _locked(conn, wait=wait):
            return Settled(is_busy=True)
        # before persons are recomputed: when the ledger got its scout, the audit says
        for changes in ("ledger", "links"):
            conn.execute(sql.statement(f"attribution/settle/record_missed_{changes}")).one()
        conn.execute(sql.statement("attribution/settle/find_repeated_ids")).one()
        begun = conn.execute(sql.query("attribution/settle", "begun")).one()
        ends = list(
            conn.execute(
                sql.statement("attribution/settle/list_range_ends"), {"row_limit": RANGE_ROWS}
            ).scalars()
        )
    done = Settled()
    after = _BEFORE_ALL
    for number, upto in enumerate(ends, 1):
        done += _settle_batch(db, wait=True, row_limit=0, after_key=after, upto_key=upto)
        after = upto
        if progress is not None:
            progress(number, len(ends))
    with db.transaction(SETTLE) as conn:
        _locked(conn, wait=True)
        conn.execute(sql.statement("attribution/settle/settle_unlinked")).one()
        conn.execute(sql.statement("attribution/settle/recount")).one()
        taken = conn.execute(
            sql.statement("attribution/settle/forget_seen"), {"seen": begun.seen}
        ).one()
        conn.execute(
            sql.query("attribution/settle", "set_mode"),
            {
                "mode": "TRACKED" if is_tracked(conn) else "REBUILT",
                "built_at": begun.begun_at,
                "definition": definition,
            },
        )
    return done + Settled(entries=taken.entry_count)


def settle_soon(db: Database, *, max_batches: int | None = None) -> None:
    """Settle what is pending beside a run. The run stands, whatever comes: readers and runs add
    what is pending themselves."""
    try:
        settle(db, max_batches=max_batches)
    except ScoutError as exc:
        _log.warning("not settled, it is done later", reason=exc.message)


def settle_before(db: Database) -> None:
    """Settle what is pending before a run. The run does not need it: only what would stop the run
    before it is recorded is raised (no database, not installed, read-only)."""
    try:
        settle(db)
    except (DatabaseError, RowsHidden) as exc:
        _log.warning("not settled, it is done later", reason=exc.message)


def settle_after(db: Database) -> None:
    """What a run has changed; without triggers, everything. The run stands, whatever comes."""
    try:
        with db.transaction(SETTLE) as conn:
            tracked = is_tracked(conn)
        if tracked:
            settle(db)
        else:
            build(db)
    except ScoutError as exc:
        _log.warning("not settled, the next run does it", reason=exc.message)


def is_tracked(conn: Connection) -> bool:
    """Whether every tracking trigger that init wanted is there and fires."""
    return bool(conn.execute(sql.query("attribution/settle", "is_tracked")).scalar_one())


def _settle_batch(
    db: Database,
    *,
    wait: bool,
    row_limit: int,
    is_large: bool = False,
    after_key: object = None,
    upto_key: object = None,
) -> Settled:
    stopping.check()
    with db.transaction(SETTLE) as conn:
        if upto_key is None and not _has_pending(conn):
            return Settled()
        if not _locked(conn, wait=wait):
            return Settled(is_busy=True)
        if is_large:
            conn.exec_driver_sql("discard plans")
        # what each person is looked up in is small and in memory: a scan of it per person is dearer
        conn.exec_driver_sql("set local random_page_cost = 1.5")
        if upto_key is not None:
            ends = {"after_key": after_key, "upto_key": upto_key}
            conn.execute(sql.statement("attribution/settle/see_first"), ends).one()
        row = conn.execute(
            sql.statement("attribution/settle/settle"),
            {"row_limit": row_limit, "after_key": after_key, "upto_key": upto_key},
        ).one()
        return Settled(row.entry_count, row.person_count, row.changed_count)


def _has_pending(conn: Connection) -> bool:
    return bool(conn.execute(sql.query("attribution/settle", "has_pending")).scalar_one())


def _locked(conn: Connection, *, wait: bool) -> bool:
    keys = {"lock_class": locks.LOCK_CLASS, "lock_key": _LOCK_KEY}
    if wait:
        conn.execute(sql.query("attribution/settle", "lock"), keys)
        return True
    return bool(conn.execute(sql.query("attribution/settle", "try_lock"), keys).scalar_one())


class Keeper:
    """Settles beside the server, so that little is ever pending. Trouble is no trouble: readers
    add what is pending themselves, and the next round tries again."""

    PAUSE_SECONDS = 5.0
    LONG_PAUSE_SECONDS = 60.0

    def __init__(self, open_database: Callable[[], Database]) -> None:
        self._open_database = open_database
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="settle keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the batch at work."""
        self._stopped.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        pause = self.PAUSE_SECONDS
        while not self._stopped.wait(pause):
            pause = self.PAUSE_SECONDS
            try:
                # what cannot be noted is looked up by each run: in between it would be all the time
                done = settle(self._open_database(), may_rebuild=False)
            except ScoutError as exc:
                # away, read-only or not installed: the pages say so, once a minute is enough here
                _log.debug("keeper waits", reason=exc.message)
                pause = self.LONG_PAUSE_SECONDS
            else:
                if done.entries:
                    _log.debug("settled", rows=done.entries, persons=done.persons)
