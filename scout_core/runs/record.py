"""Runs: who asked for a write, what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from scout_core.access.note import NOTE_MAX, NOTE_MIN, optional_note
from scout_core.access.permissions import Action, Actor
from scout_core.db import sql
from scout_core.db.database import CONTROL, Database
from scout_core.errors import BadInput, NotFound

Kind = Literal["refresh", "undo", "decision", "review", "erase"]
Trigger = Literal["cron", "manual", "api"]

ACTIONS: Mapping[Kind, Action] = {
    "refresh": "run",
    "undo": "undo",
    "decision": "decide",
    "review": "review",
    "erase": "erase",
}
JOB_TYPES: Mapping[Kind, str] = {
    "refresh": "scout_attribution_refresh",
    "undo": "scout_attribution_undo",
    "decision": "scout_attribution_decision",
    "review": "scout_attribution_decision",
    "erase": "scout_attribution_decision",
}


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


@dataclass(frozen=True)
class ListedRun:
    """A run of any kind as a list shows it. trigger and actor null = not a run of ours."""

    run_id: int
    job_type: str
    trigger: str | None
    actor: str | None
    status: str
    started_at: datetime
    completed_at: datetime | None
    stats: dict[str, Any] | None
    error: str | None


def checked_reason(reason: str | None, *, is_needed: bool) -> str | None:
    """The reason without blanks around it; null when there is none and none is needed. BadInput
    otherwise."""
    words = optional_note(reason)
    if words is None and is_needed:
        raise BadInput(
            f"--force needs --reason with {NOTE_MIN} to {NOTE_MAX:,} characters: it is kept with "
            "the run.",
            parameter="reason",
        )
    return words


def by_id(db: Database, run_id: int) -> RunResult:
    """The run of this id as it stands. NotFound when there is none."""
    with db.transaction(CONTROL) as conn:
        row = execute(conn, "by_id", run_id=run_id).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no run {run_id}: `status` lists the last ones.", run_id=run_id)
    return result_of(row)


def list_newest(conn: Connection, *, limit: int) -> list[ListedRun]:
    """The newest runs of all kinds, newest first."""
    return [ListedRun(**row) for row in execute(conn, "newest", row_limit=limit).mappings()]


def execute(conn: Connection, name: str, **parameters: object) -> Any:
    """Run the statement `name` of sql/runs/record.sql."""
    return conn.execute(sql.query("runs/record", name), parameters)


def result_of(row: Mapping[str, Any], *, is_attached: bool = False) -> RunResult:
    """A row of the queries by_id, by_request and completed_since as a RunResult; its seal is told
    among its stats."""
    stats = dict(row["stats"] or {})
    if row["seal_hash"] is not None:
        own = {"seal_no": row["seal_no"], "rows": row["sealed_rows"], "sha256": row["seal_hash"]}
        stats["seal"] = {**stats.get("seal", {}), **own}
    return RunResult(
        run_id=row["run_id"],
        status=row["status"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        stats=stats,
        is_attached=is_attached,
    )
