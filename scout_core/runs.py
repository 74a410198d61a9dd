"""Runs: the protocol under which every write happens.

W is the work connection: it holds the lock of the job, and effects, status COMPLETED and the end
of the lock are one commit. C is the control connection: short commits of their own, for the
RUNNING row, progress and failure, which must outlive a rollback of W.
"""

import json
import os
import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import psutil
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from scout_core import __version__, logs, sql
from scout_core.database import CONTROL, JOB, Database, Transaction, is_retryable, wrapped_errors
from scout_core.errors import (
    DatabaseAway,
    DatabaseError,
    GuardStopped,
    PermissionDenied,
    RunBusy,
    RunFailed,
    ScoutError,
)

Role = Literal["viewer", "analyst", "operator", "admin"]
Kind = Literal["refresh", "undo", "decision", "review"]
Trigger = Literal["cron", "manual", "api"]
Progress = Callable[[str, int, int], None]

MAY_RUN: Mapping[Kind, frozenset[Role]] = {
    "refresh": frozenset({"operator", "admin"}),
    "undo": frozenset({"operator", "admin"}),
    "decision": frozenset({"analyst", "operator", "admin"}),
    "review": frozenset({"analyst", "operator", "admin"}),
}
JOB_TYPES: Mapping[Kind, str] = {
    "refresh": "scout_attribution_refresh",
    "undo": "scout_attribution_undo",
    "decision": "scout_attribution_decision",
    "review": "scout_attribution_decision",
}

LOCK_CLASS = 5_036_417  # any number, the same in every version: first half of our advisory locks
LOCK_OF_JOB: Mapping[str, int] = {job: n for n, job in enumerate(dict.fromkeys(JOB_TYPES.values()))}
ATTACH_SECONDS = 60
TAKEOVER_SECONDS = 3.0
LOOK_SECONDS = 2.0
TRIES = 3

_log = logs.get_logger("runs")


@dataclass(frozen=True)
class Actor:
    """Who asks for a write, and what they may do."""

    name: str
    role: Role


@dataclass(frozen=True)
class Request:
    """What is asked for: kind of run, by whom, why. request_id makes repeats one run."""

    kind: Kind
    actor: Actor
    trigger: Trigger = "manual"
    reason: str | None = None
    is_forced: bool = False
    request_id: str | None = None
    requested_at: datetime | None = None


@dataclass(frozen=True)
class RunResult:
    """How a run ended. stats: per step seen, changed and skipped by reason. Times in UTC."""

    run_id: int
    status: str
    started_at: datetime
    completed_at: datetime | None
    stats: dict[str, Any]
    is_attached: bool = False


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

    @property
    def conn(self) -> Connection:
        """The work connection; another one after each `next_batch`."""
        return self._work.conn

    def one(self, path: str, **parameters: object) -> dict[str, Any]:
        """The one row of the statement `sql/refresh/<path>.sql`, run on the work connection."""
        parameters = {"run_id": self.run_id, "actor": self.request.actor.name} | parameters
        statement = sql.statement(f"refresh/{path}")
        wanted = {name: parameters[name] for name in statement.compile().params}
        return dict(self.conn.execute(statement, wanted).mappings().one())

    def all(self, path: str, **parameters: object) -> list[dict[str, Any]]:
        """The rows of the statement `sql/refresh/<path>.sql`."""
        parameters = {"run_id": self.run_id} | parameters
        rows = self.conn.execute(sql.statement(f"refresh/{path}"), parameters).mappings()
        return [dict(row) for row in rows]

    @property
    def room(self) -> int:
        """Rows that may still change in this commit, at least one."""
        if self.changed_in_batch >= self.max_rows:
            self.next_batch()
        return self.max_rows - self.changed_in_batch

    def next_batch(self) -> None:
        """Commit what was done, whole with its audit, and go on in a new transaction.

        RunFailed when the run was closed meanwhile: somebody took it for lost, and goes on.
        """
        _execute(
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
        self._work = self._db.begin(JOB)
        _prepare_work(self.conn, self.run_id)
        if not _try_lock(self.conn, self.request.kind):
            raise RunFailed(
                f"Run {self.run_id} lost its turn between two batches: what it committed is whole, "
                "the run that took over does the rest.",
                run_id=self.run_id,
            )
        if _execute(self.conn, "status_of", run_id=self.run_id).scalar() != "RUNNING":
            raise RunFailed(
                f"Run {self.run_id} was closed by another start between two batches: what it "
                "committed is whole, the next run does the rest.",
                run_id=self.run_id,
            )
        self.conn.exec_driver_sql("savepoint work")

    def report(self, step: str, done: int, total: int) -> None:
        """Tell whoever waits how far a step is."""
        if self._progress is not None:
            self._progress(step, done, total)

    def log_step(self, step: str, details: Mapping[str, object]) -> None:
        """Keep what a step did, visible at once to whoever looks at the running job."""
        self.stats.setdefault("steps", {})[step] = dict(details)
        _log.info("step", step=step, **{k: v for k, v in details.items() if v})
        with self._db.transaction(CONTROL) as control:
            _execute(
                control,
                "record_event",
                run_id=self.run_id,
                event="STEP",
                step=step,
                details=json.dumps(details, default=str),
                actor=self.request.actor.name,
            )


def at(point: str) -> None:
    """A named point of the protocol. Does nothing; tests put a kill here."""


def require_role(actor: Actor, kind: Kind) -> None:
    """PermissionDenied unless the actor's role may start this kind of run."""
    if actor.role not in MAY_RUN[kind]:
        raise PermissionDenied(
            f"{actor.name} is {actor.role}, and only {' or '.join(sorted(MAY_RUN[kind]))} may start "
            f"a {kind}: ask one of them.",
            role=actor.role,
        )


def work_run(
    db: Database,
    request: Request,
    work: Callable[[Run], None],
    *,
    max_rows: int,
    progress: Progress | None = None,
) -> RunResult:
    """Do `work` as one run: alone, recorded, all or nothing per batch, sealed.

    RunBusy with the running run's id when another one runs; the error of the work when it fails,
    the run then is FAILED and what it had not committed is rolled back.
    """
    require_role(request.actor, request.kind)
    attached = _find_answer(db, request)
    if attached is not None:
        return attached
    transaction = _take_lock(db, request.kind)
    try:
        at("after lock")
        run_id, existing = _open_run(db, request)
    except BaseException:
        transaction.rollback()
        raise
    if existing is not None:
        transaction.rollback()
        return existing
    logs.bind_run(run_id)
    _log.info("run started", kind=request.kind, trigger=request.trigger)
    run = Run(run_id, request, max_rows, db, transaction, progress)
    try:
        at("after run row")
        _work_with_retries(run, work)
        _complete(run)
    except BaseException as exc:
        _fail(run, exc)
        raise
    finally:
        logs.bind_run(None)
    return by_id(db, run_id)


def by_id(db: Database, run_id: int) -> RunResult:
    """The run of this id as it stands. RunFailed when there is none."""
    with db.transaction(CONTROL) as conn:
        row = _execute(conn, "by_id", run_id=run_id).mappings().one_or_none()
    if row is None:
        raise RunFailed(f"There is no run {run_id}.", run_id=run_id)
    return _result(row)


def _work_with_retries(run: Run, work: Callable[[Run], None]) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            with wrapped_errors():
                if attempt == 1:
                    _prepare_work(run.conn, run.run_id)
                    run.conn.exec_driver_sql("savepoint work")
                work(run)
            return
        except DatabaseError as exc:
            # only the first batch can be repeated whole: later ones stand on committed work
            if attempt == TRIES or not is_retryable(exc) or run.batches > 1:
                raise
            with wrapped_errors():
                run.conn.exec_driver_sql("rollback to savepoint work")
            run.stats.clear()
            run.changed_in_batch = 0
            _log.warning("retry", attempt=attempt, reason=exc.message)
            time.sleep(random.uniform(0.05, 0.3) * attempt)  # noqa: S311 - jitter, no secret


def _complete(run: Run) -> None:
    with wrapped_errors():
        run.report("seal", 0, 1)
        _execute(run.conn, "lock_seals", lock_class=LOCK_CLASS)
        seal = run.one("record_seal")
        run.stats["batches"] = run.batches
        run.stats["seal"] = {"seal_no": seal["seal_no"], "rows": seal["row_count"], "sha256": seal["seal_hash"]}
        completed = _execute(
            run.conn,
            "complete",
            run_id=run.run_id,
            stats=json.dumps(run.stats, default=str),
            actor=run.request.actor.name,
        ).rowcount
        if completed != 1:
            raise RunFailed(
                f"Run {run.run_id} was closed by somebody else before it ended: rolled back.",
                run_id=run.run_id,
            )
        at("before commit")
    try:
        run._work.commit()
    except (DatabaseAway, DatabaseError):
        # the commit may have arrived all the same: look, never repeat blindly
        if by_id(run._db, run.run_id).status != "COMPLETED":
            raise
    at("after commit")
    _log.info("run completed", seal=run.stats["seal"]["sha256"], rows=run.stats["seal"]["rows"])


def _fail(run: Run, exc: BaseException) -> None:
    """Roll the work back, keep the lock until the run says FAILED, then let go."""
    if isinstance(exc, GuardStopped):
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
        with run._db.transaction(CONTROL) as control:
            _execute(
                control,
                "fail",
                run_id=run.run_id,
                reason=reason,
                stats=json.dumps(run.stats, default=str),
                actor=run.request.actor.name,
            )
    except ScoutError as lost:
        _log.warning("failure not recorded, the next start closes the run", reason=lost.message)
    _log.error("run failed", reason=reason)
    run._work.rollback()


def _find_answer(db: Database, request: Request) -> RunResult | None:
    """A run that already answers the request: same request id, or a success since the click."""
    with db.transaction(CONTROL) as conn:
        if request.request_id is not None:
            row = _execute(conn, "by_request", request_id=request.request_id).mappings().one_or_none()
            if row is not None:
                return _result(row, is_attached=True)
        if request.trigger == "manual" and request.requested_at is not None and not request.is_forced:
            row = (
                _execute(
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
                return _result(row, is_attached=True)
    return None


def _take_lock(db: Database, kind: Kind) -> Transaction:
    """The work transaction with the lock of the job; RunBusy when somebody alive has it.

    A holder whose process is gone loses its connection within two seconds, so a start on the same
    host waits for that instead of answering "busy" with a dead run.
    """
    give_up = time.monotonic() + TAKEOVER_SECONDS
    look_until = time.monotonic() + LOOK_SECONDS
    while True:
        transaction = db.begin(JOB)
        try:
            if _try_lock(transaction.conn, kind):
                return transaction
        except BaseException:
            transaction.rollback()
            raise
        transaction.rollback()
        with db.transaction(CONTROL) as conn:
            row = _execute(conn, "running", job_type=JOB_TYPES[kind]).mappings().one_or_none()
        now = time.monotonic()
        if row is None and now < look_until:
            time.sleep(0.05)  # the holder has not written its run yet
            continue
        if row is not None and _is_dead(row) and now < give_up:
            time.sleep(0.1)
            continue
        if row is None:
            raise RunBusy("Another run is starting: try again in a moment.", run_id=None)
        raise RunBusy(
            f"Run {row['run_id']} is already running (started {row['started_at']:%Y-%m-%d %H:%M:%S} "
            f"UTC by {row['actor']}): wait until it has ended.",
            run_id=row["run_id"],
        )


def _is_dead(row: Mapping[str, Any]) -> bool:
    return row["host"] == socket.gethostname() and not psutil.pid_exists(row["process_id"])


def _try_lock(conn: Connection, kind: Kind) -> bool:
    with wrapped_errors():
        return bool(
            _execute(
                conn, "try_lock", lock_class=LOCK_CLASS, lock_key=LOCK_OF_JOB[JOB_TYPES[kind]]
            ).scalar()
        )


def _open_run(db: Database, request: Request) -> tuple[int, RunResult | None]:
    """Close what a dead worker left RUNNING and write the RUNNING row; holds because W has the lock."""
    with db.transaction(CONTROL) as control:
        lost = _execute(
            control, "close_lost", job_type=JOB_TYPES[request.kind], actor=request.actor.name
        ).scalars()
        for run_id in lost:
            _log.warning("worker lost", lost_run_id=run_id)
        if request.request_id is not None:
            row = _execute(control, "by_request", request_id=request.request_id).mappings().one_or_none()
            if row is not None:
                return row["run_id"], _result(row, is_attached=True)
        run_id = _execute(
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


def _prepare_work(conn: Connection, run_id: int) -> None:
    # tells the tracking trigger of the ledger that the change is ours
    _execute(conn, "mark_transaction", run_id=str(run_id))


def _execute(conn: Connection, name: str, **parameters: object) -> Any:
    return conn.execute(sql.query("runs", name), parameters)


def _result(row: Mapping[str, Any], *, is_attached: bool = False) -> RunResult:
    return RunResult(
        run_id=row["run_id"],
        status=row["status"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        stats=row["stats"] or {},
        is_attached=is_attached,
    )
