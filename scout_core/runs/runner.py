"""The runner: the protocol under which every write happens.

W is the work connection: it holds the lock of the job, and effects, status COMPLETED and the end
of the lock are one commit. C is the control connection: short commits of its own, for the RUNNING
row, progress and failure, which must outlive a rollback of W.
"""

import json
import os
import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from scout_core import __version__, logs
from scout_core.access import permissions
from scout_core.attribution import settle
from scout_core.db import grounds, sequences, sql, stopping
from scout_core.db.database import CONTROL, Database, Transaction
from scout_core.db.driver_errors import KEY_IS_THERE, is_retryable, sqlstate, wrapped_errors
from scout_core.errors import (
    CannotBeKept,
    DatabaseAway,
    DatabaseError,
    GuardStopped,
    KeyReused,
    RunBusy,
    RunFailed,
    ScoutError,
)
from scout_core.runs import lock, seals
from scout_core.runs.record import (
    ACTIONS,
    JOB_TYPES,
    Kind,
    Request,
    RunResult,
    by_id,
    execute,
    result_of,
)

Progress = Callable[[str, int, int], None]
T = TypeVar("T")

ATTACH_SECONDS = 60
TRIES = 3
# well below deadlock_timeout (1 s), so that the job is always the one that gives way; shorter while
# it holds rows itself, which who is in the way may wait for
ROW_PATIENCE_MILLISECONDS = 200
HOLDER_PATIENCE_MILLISECONDS = 20
YIELDS = 5
LOCK_NOT_AVAILABLE = "55P03"

_log = logs.get_logger("runs")


@dataclass
class Run:
    """A run in progress: what its steps work with."""

    run_id: int
    request: Request
    max_rows: int
    _db: Database
    _work: Transaction
    _progress: Progress | None
    stats: dict[str, Any] = field(default_factory=dict)
    batches: int = 1
    changed_in_batch: int = 0
    sealed_of_others: int = 0
    # rows were locked or written in this commit
    is_holding: bool = False

    @property
    def conn(self) -> Connection:
        """The work connection; another one after each `next_batch`."""
        return self._work.conn

    def one(self, path: str, **parameters: object) -> dict[str, Any]:
        """The one row of the statement `sql/<path>.sql`, run on the work connection; a path
        without a folder is one of sql/refresh."""
        return dict(self._execute(path, parameters).mappings().one())

    def all(self, path: str, **parameters: object) -> list[dict[str, Any]]:
        """The rows of the statement `sql/<path>.sql`, as `one` finds it."""
        return [dict(row) for row in self._execute(path, parameters).mappings()]

    def one_yielding(self, path: str, tables: str, **parameters: object) -> dict[str, Any] | None:
        """As `one`, but null, and nothing done, when somebody else is writing one of its rows."""
        return self._yielding(lambda: self.one(path, **parameters), tables)

    def one_unless_written(self, path: str, tables: str, **parameters: object) -> dict[str, Any]:
        """As `one_yielding`, several times; DatabaseError when the rows are still being written."""
        return self.unless_written(lambda: self.one(path, **parameters), tables)

    def unless_written(self, work: Callable[[], T], tables: str) -> T:
        """What `work` answers, which locks and writes rows of these tables. Done again, whole, when
        somebody else is writing one of them; DatabaseError when they still do. What was done before
        in this commit is committed before the second try: they may wait for it."""
        for attempt in range(YIELDS):
            if attempt:
                self.let_go()
                time.sleep(random.uniform(0.05, 0.3) * attempt)  # noqa: S311 - jitter, no secret
            answer = self._yielding(work, tables)
            if answer is not None:
                return answer
        raise DatabaseError(
            f"Somebody else is writing the same rows of {tables}, or changes a table: try again"
            " when they have finished.",
            sqlstate=LOCK_NOT_AVAILABLE,
        )

    def _yielding(self, work: Callable[[], T], tables: str) -> T | None:
        """Rows that are written in another order than theirs are waited for so briefly that nobody
        else is ever the victim of a deadlock with the job. `tables` themselves are waited for as
        ever."""
        self.conn.exec_driver_sql(f"lock table {tables} in row exclusive mode")
        patience = HOLDER_PATIENCE_MILLISECONDS if self.is_holding else ROW_PATIENCE_MILLISECONDS
        self.conn.exec_driver_sql(f"savepoint yielding; set local lock_timeout = {patience}")
        try:
            with wrapped_errors():
                answer = work()
        except DatabaseError as exc:
            if sqlstate(exc) != LOCK_NOT_AVAILABLE:
                raise
            self.conn.exec_driver_sql("rollback to savepoint yielding")
            return None
        patience = lock.PROFILES[self.request.kind].lock_timeout
        self.conn.exec_driver_sql(
            f"release savepoint yielding; set local lock_timeout = {patience}"
        )
        self.is_holding = True
        return answer

    def _execute(self, path: str, parameters: Mapping[str, object]) -> Any:
        stopping.check()
        known = {"run_id": self.run_id, "actor": self.request.actor.name, **parameters}
        statement = sql.statement(path if "/" in path else f"job/refresh/{path}")
        wanted = {name: known[name] for name in statement.compile().params}
        return self.conn.execute(statement, wanted)

    @property
    def room(self) -> int:
        """Rows that may still change in this commit, at least one."""
        if self.changed_in_batch >= self.max_rows:
            self.next_batch()
        return self.max_rows - self.changed_in_batch

    def let_go(self) -> None:
        """Commit where rows are held, before others are waited for."""
        if self.is_holding:
            self.next_batch()

    def next_batch(self) -> None:
        """Commit what was done, whole with its audit, and go on in a new transaction.

        RunFailed when the run was closed meanwhile: somebody took it for lost, and goes on.
        """
        execute(
            self.conn,
            "record_event",
            run_id=self.run_id,
            event="BATCH",
            step=None,
            details=json.dumps({"batch": self.batches, "changed": self.changed_in_batch}),
            actor=self.request.actor.name,
        )
        at("before batch commit")
        self._work.commit()
        self.batches += 1
        self.changed_in_batch = 0
        self.is_holding = False
        self._work = self._db.begin(lock.PROFILES[self.request.kind])
        _prepare_work(self.conn, self.run_id, self.request.kind)
        if not lock.try_lock(self.conn, self.request.kind):
            raise RunFailed(
                f"Run {self.run_id} lost its turn between two batches: what it committed is whole, "
                "the run that took over does the rest.",
                run_id=self.run_id,
            )
        if execute(self.conn, "status_of", run_id=self.run_id).scalar() != "RUNNING":
            raise RunFailed(
                f"Run {self.run_id} was closed by another start between two batches: what it "
                "committed is whole, the next run does the rest.",
                run_id=self.run_id,
            )
        # the batch is finished: a good place to end
        stopping.check()
        # the lock is held again: what was committed is settled meanwhile, so that little is pending
        settle.settle_soon(self._db)
        self.conn.exec_driver_sql("savepoint work")

    def report(self, step: str, done: int, total: int) -> None:
        """Tell whoever waits how far a step is. Stopped when this process is to end."""
        stopping.check()
        if self._progress is not None:
            self._progress(step, done, total)

    def log_step(self, step: str, details: Mapping[str, object]) -> None:
        """Keep what a step did, visible at once to whoever looks at the running job."""
        self.stats.setdefault("steps", {})[step] = dict(details)
        _log.info("step", step=step, **{k: v for k, v in details.items() if v})
        with self._db.transaction(CONTROL) as control:
            execute(
                control,
                "record_step",
                run_id=self.run_id,
                step=step,
                details=json.dumps(details, default=str, ensure_ascii=False),
                actor=self.request.actor.name,
            )


def at(point: str) -> None:
    """A named point of the protocol. Does nothing; tests put a kill here."""


def work_run(
    db: Database,
    request: Request,
    work: Callable[[Run], None],
    *,
    max_rows: int,
    progress: Progress | None = None,
    opened: Callable[[int], None] | None = None,
) -> RunResult:
    """Do `work` as one run: alone, recorded, all or nothing per batch, sealed.

    opened is told the run's number when it begins.

    RunBusy with the running run's id when another one runs; the error of the work when it fails,
    the run then is FAILED and what it had not committed is rolled back.
    """
    permissions.require(request.actor, ACTIONS[request.kind])
    attached = _find_answer(db, request)
    if attached is not None:
        return attached
    try:
        transaction = lock.take(db, request.kind)
    except RunBusy:
        # the run in the way may be this very request, sent twice at once
        attached = _find_answer(db, request)
        if attached is None:
            raise
        return attached
    try:
        at("after lock")
        stopping.check()
        run_id, existing = _open_run(db, request)
    except BaseException as exc:
        transaction.rollback()
        if isinstance(exc, DatabaseError):
            _raise_if_a_sequence_is_behind(db, exc)
        raise
    if existing is not None:
        transaction.rollback()
        return existing
    logs.bind_run(run_id)
    _log.info("run started", kind=request.kind, trigger=request.trigger)
    run = Run(run_id, request, max_rows, db, transaction, progress)
    try:
        if opened is not None:
            opened(run_id)
        at("after run row")
        if request.kind == "refresh":
            with wrapped_errors():
                run.sealed_of_others = seals.seal_others(db, run_id, partial(_sealed, run))
        _work_with_retries(run, work)
        _complete(run)
    except BaseException as exc:
        _fail(run, exc)
        if not isinstance(exc, DatabaseError | DatabaseAway):
            raise
        # a statement that was cancelled for it
        stopping.check()
        raise
    finally:
        logs.bind_run(None)
    return by_id(db, run_id)


def _sealed(run: Run, done: int, total: int) -> None:
    # the lock is this transaction's, and the server ends one that lies idle for minutes
    run.conn.exec_driver_sql("select")
    run.report("others", done, total)
    at("others sealed")


def _work_with_retries(run: Run, work: Callable[[Run], None]) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            with wrapped_errors():
                if attempt == 1:
                    _prepare_work(run.conn, run.run_id, run.request.kind)
                    if run.request.kind != "refresh":
                        # a refresh looks by itself, and says so in its steps
                        grounds.check(run.conn)
                    run.conn.exec_driver_sql("savepoint work")
                work(run)
            return
        except DatabaseError as exc:
            _raise_if_a_sequence_is_behind(run._db, exc)
            # only the first batch can be repeated whole: later ones stand on committed work
            if attempt == TRIES or not is_retryable(exc) or run.batches > 1:
                raise
            stopping.check()
            with wrapped_errors():
                run.conn.exec_driver_sql("rollback to savepoint work")
            run.stats.clear()
            run.changed_in_batch = 0
            run.is_holding = False
            _log.warning("retry", attempt=attempt, reason=exc.message)
            time.sleep(random.uniform(0.05, 0.3) * attempt)  # noqa: S311 - jitter, no secret


def _raise_if_a_sequence_is_behind(db: Database, exc: DatabaseError) -> None:
    """A number that is there already is of nobody who writes at the same time: every try would
    meet one again."""
    column = exc.facts.get("column")
    if sqlstate(exc) != KEY_IS_THERE or column is None:
        return
    with db.transaction(CONTROL) as conn:
        behind = [b for b in sequences.list_behind(conn) if b.column == column]
    if behind:
        raise DatabaseError(sequences.said_of(behind), sequences=[b.sequence_name for b in behind])


def _complete(run: Run) -> None:
    with wrapped_errors():
        run.report("seal", 0, 1)
        run.stats["batches"] = run.batches
        run.stats["seal"] = {"of_others": run.sealed_of_others}
        completed = execute(
            run.conn,
            "complete",
            run_id=run.run_id,
            stats=json.dumps(run.stats, default=str, ensure_ascii=False),
            actor=run.request.actor.name,
        ).rowcount
        if completed != 1:
            raise RunFailed(
                f"Run {run.run_id} was closed by somebody else before it ended: rolled back.",
                run_id=run.run_id,
            )
        # last: it covers how the run ended too
        seal = seals.seal_run(run.conn, run.run_id)
        at("before commit")
    try:
        run._work.commit()
    except (DatabaseAway, DatabaseError):
        # the commit may have arrived all the same: look, never repeat blindly
        if by_id(run._db, run.run_id).status != "COMPLETED":
            raise
    at("after commit")
    _log.info("run completed", seal=seal["seal_hash"], rows=seal["row_count"])


def _fail(run: Run, exc: BaseException) -> None:
    """Roll the work back, keep the lock until the run says FAILED, then let go."""
    if stopping.is_asked():
        reason = f"stopped ({stopping.why()})"
    elif isinstance(exc, GuardStopped):
        reason = f"guard: {exc.message}"
    elif isinstance(exc, ScoutError):
        reason = exc.message
    elif isinstance(exc, KeyboardInterrupt):
        reason = "interrupted"
    else:
        reason = f"{type(exc).__name__}: stopped by an unexpected error"
    try:
        with wrapped_errors():
            run.conn.exec_driver_sql("rollback to savepoint work")
    except (ScoutError, SQLAlchemyError):
        pass  # connection lost, or before the savepoint: the server rolls back by itself
    try:
        try:
            _record_failure(run, reason)
        except CannotBeKept:
            _record_failure(run, reason.encode("ascii", "backslashreplace").decode())
        except DatabaseError:
            if not stopping.is_asked():
                raise
            # a cancel that was meant for the statement before: the connection is the same
            _record_failure(run, reason)
    except ScoutError as lost:
        _log.warning("failure not recorded, the next start closes the run", reason=lost.message)
    _log.error("run failed", reason=reason)
    run._work.rollback()


def _record_failure(run: Run, reason: str) -> None:
    with run._db.transaction(CONTROL) as control:
        execute(
            control,
            "fail",
            run_id=run.run_id,
            reason=reason,
            stats=json.dumps(run.stats, default=str, ensure_ascii=False),
            actor=run.request.actor.name,
        )


def find_request(db: Database, request: Request) -> RunResult | None:
    """The run that has the request id of this request; null when there is none. KeyReused when it
    is a run of somebody else or of another kind."""
    if request.request_id is None:
        return None
    with db.transaction(CONTROL) as conn:
        return _by_request(conn, request)


def _by_request(conn: Connection, request: Request) -> RunResult | None:
    if request.request_id is None:
        return None
    row = execute(conn, "by_request", request_id=request.request_id).mappings().one_or_none()
    if row is None:
        return None
    if (row["actor"], row["kind"]) != (request.actor.name, request.kind):
        raise KeyReused()
    return result_of(row, is_attached=True)


def finished(db: Database, result: RunResult) -> RunResult:
    """The run when it has ended: a repeated request waits for the first. RunBusy if too long."""
    give_up = time.monotonic() + lock.WAIT_SECONDS["decision"]
    while result.status == "RUNNING":
        if time.monotonic() > give_up:
            raise RunBusy(
                f"Run {result.run_id} of the same request is still at work: look again in a "
                "moment.",
                run_id=result.run_id,
            )
        time.sleep(0.05)
        result = replace(by_id(db, result.run_id), is_attached=True)
    return result


def _find_answer(db: Database, request: Request) -> RunResult | None:
    """A run that already answers the request: same request id, or a success since the click."""
    known = find_request(db, request)
    if known is not None:
        return known
    with db.transaction(CONTROL) as conn:
        # a refresh does the same whoever asks; a decision or an undo is this one or another
        if (
            request.kind == "refresh"
            and request.trigger == "manual"
            and request.requested_at is not None
            and not request.is_forced
        ):
            row = (
                execute(
                    conn,
                    "completed_since",
                    job_type=JOB_TYPES[request.kind],
                    requested_at=request.requested_at,
                    not_before=datetime.now(UTC) - timedelta(seconds=ATTACH_SECONDS),
                )
                .mappings()
                .one_or_none()
            )
            if row is not None:
                return result_of(row, is_attached=True)
    return None


def _open_run(db: Database, request: Request) -> tuple[int, RunResult | None]:
    """Close what a dead worker left RUNNING and write the new row; safe, as W has the lock."""
    with db.transaction(CONTROL) as control:
        lost = execute(
            control, "close_lost", job_type=JOB_TYPES[request.kind], actor=request.actor.name
        ).scalars()
        for run_id in lost:
            _log.warning("worker lost", lost_run_id=run_id)
        known = _by_request(control, request)
        if known is not None:
            return known.run_id, known
        run_id = execute(
            control,
            "open",
            job_type=JOB_TYPES[request.kind],
            kind=request.kind,
            trigger=request.trigger,
            actor=request.actor.name,
            reason=request.reason,
            request_id=request.request_id,
            is_forced=request.is_forced,
            host=socket.gethostname(),
            process_id=os.getpid(),
            version=__version__,
            requested_at=request.requested_at or datetime.now(UTC),
        ).scalar_one()
    return int(run_id), None


def _prepare_work(conn: Connection, run_id: int, kind: Kind) -> None:
    # tells the tracking triggers that the change is ours
    execute(conn, "mark_transaction", run_id=str(run_id), kind=kind)
