"""The runs there were: how each went, what it changed, what it left and why, under which seal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from scout_core.days import midnight
from scout_core.db import sql
from scout_core.errors import NotFound
from scout_core.lists import filters
from scout_core.lists.paging import Key, Page, Sort, read_page
from scout_core.lists.paging import stream_rows as stream

KINDS = ("refresh", "undo", "decision", "review", "erase")
STATUSES = ("RUNNING", "COMPLETED", "FAILED", "LOST")
TRIGGERS = ("cron", "manual", "api")
# a first load writes a batch event every few thousand rows
MAX_EVENTS = 500
SORTS = {
    "newest": Sort(Key("newest_key", "timestamp"), Key("run_id", "integer")),
    "longest": Sort(Key("longest_key", "numeric"), Key("run_id", "integer")),
}


@dataclass(frozen=True)
class RunFilters:
    """Which runs; null = any. since and until are days in Lima, both included; changed_only:
    those that changed a link or the ledger."""

    kind: str | None = None
    status: str | None = None
    trigger: str | None = None
    actor: str | None = None
    since: date | None = None
    until: date | None = None
    changed_only: bool = False
    run_id: int | None = None


@dataclass(frozen=True)
class PastRun:
    """A run of any kind. trigger and actor null = not a run of this product.

    status LOST: RUNNING by its row, but nobody works on it. duration_seconds null then, and while
    it is RUNNING. stats as the run left them; the counts below are
    null where it left none.
    """

    run_id: int
    kind: str
    trigger: str | None
    actor: str | None
    reason: str | None
    is_forced: bool | None
    status: str
    started_at: datetime | None
    completed_at: datetime | None
    duration_seconds: Decimal | None
    stats: Any
    error: str | None

    @property
    def link_count(self) -> int | None:
        """Scouting rows that it linked."""
        return _count(_step(self.stats, "link"), "changed")

    @property
    def scout_count(self) -> int | None:
        """Persons whom it gave a scout."""
        return _count(_step(self.stats, "propagate"), "changed")


@dataclass(frozen=True)
class ExportedRun:
    """A run as a file has it: without its stats. error null unless it FAILED."""

    run_id: int
    kind: str
    trigger: str | None
    actor: str | None
    reason: str | None
    is_forced: bool | None
    status: str
    started_at: datetime | None
    completed_at: datetime | None
    duration_seconds: Decimal | None
    error: str | None


@dataclass(frozen=True)
class Step:
    """One step of a run: what it saw and changed, and by rule and reason what it did and left.

    seconds: since the step before. facts: the other numbers that it kept, flat.
    """

    name: str
    seconds: float
    seen: int | None
    changed: int | None
    by_rule: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Seal:
    """What makes a change of the audit of a run visible. run_id: the run that sealed it."""

    seal_no: int
    run_id: int
    row_count: int
    seal_hash: str
    previous_hash: str
    sealed_at: datetime


@dataclass(frozen=True)
class RunReport:
    """One run as its page tells it. batch_count: commits before the last; seal null = none yet."""

    run: PastRun
    host: str | None
    version: str | None
    steps: tuple[Step, ...]
    batch_count: int
    seal: Seal | None


def list_runs(
    conn: Connection,
    given: RunFilters,
    *,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
) -> Page[PastRun]:
    """The runs under a filter, newest or longest first. Reads scout.v_runs."""
    return read_page(
        conn,
        sql.query("runs/history", "list_runs"),
        PastRun,
        _parameters(given),
        sorts=SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
    )


def stream_runs(
    conn: Connection, given: RunFilters, *, sort: str = "newest"
) -> Iterator[tuple[Any, ...]]:
    """Every run of the filter, as the fields of ExportedRun; memory stays flat."""
    query = sql.query("runs/history", "list_runs")
    return stream(conn, query, ExportedRun, _parameters(given), sorts=SORTS, sort=sort)


def _parameters(given: RunFilters) -> dict[str, object]:
    filters.check_choice(given.kind, KINDS, "kind")
    filters.check_choice(given.status, STATUSES, "status")
    filters.check_choice(given.trigger, TRIGGERS, "trigger")
    filters.check_days(given.since, given.until)
    if given.run_id is not None:
        filters.check_number(given.run_id, "run_id")
    return {
        "kind": given.kind,
        "status": given.status,
        "trigger": given.trigger,
        "actor": filters.check_text(given.actor, "actor"),
        "since": midnight(given.since),
        "until": midnight(given.until, days_later=1),
        "changed_only": given.changed_only,
        "run_id": given.run_id,
    }


def explain_run(conn: Connection, run_id: int) -> RunReport:
    """One run with its steps, reasons and seal. NotFound when there is none of this number."""
    is_possible = 1 <= run_id <= filters.MAX_SCOUT_ID
    page = list_runs(conn, RunFilters(run_id=run_id), page_size=1) if is_possible else None
    if page is None or not page.rows:
        raise NotFound(f"There is no run {run_id}: the list of runs has them all.", run_id=run_id)
    (run,) = page.rows
    wanted = {"run_id": run_id}
    origin = conn.execute(sql.query("runs/history", "origin"), wanted).mappings().one()
    events = (
        conn.execute(sql.query("runs/history", "events"), {**wanted, "row_limit": MAX_EVENTS})
        .mappings()
        .all()
    )
    seal = conn.execute(sql.query("runs/history", "seal"), wanted).mappings().one_or_none()
    return RunReport(
        run=run,
        host=origin["host"],
        version=origin["version"],
        steps=_steps(run, events),
        batch_count=sum(row["event"] == "BATCH" for row in events),
        seal=None if seal is None else Seal(**seal),
    )


def _steps(run: PastRun, events: Any) -> tuple[Step, ...]:
    steps = []
    before = run.started_at
    for row in events:
        if row["event"] == "STEP" and isinstance(row["details"], Mapping):
            seconds = (row["recorded_at"] - before).total_seconds() if before else 0.0
            steps.append(_told(row["step"] or "", max(seconds, 0.0), row["details"]))
            before = row["recorded_at"]
    if steps or not isinstance(run.stats, Mapping):
        return tuple(steps)
    kept = run.stats.get("steps")
    kept = kept if isinstance(kept, Mapping) else {}
    return tuple(_told(name, 0.0, told) for name, told in kept.items() if isinstance(told, Mapping))


def _told(name: str, seconds: float, details: Mapping[str, Any]) -> Step:
    own = ("seen", "changed", "by_rule", "skipped")
    facts: dict[str, int] = {}
    for key, value in details.items():
        if key in own:
            continue
        if isinstance(value, int):
            facts[key] = value
        elif isinstance(value, Mapping):
            facts |= {f"{key}.{part}": n for part, n in value.items() if isinstance(n, int)}
            inner = value.get("by_rule")
            facts |= {f"{key}.{part}": n for part, n in _counts(inner).items()}
    return Step(
        name=name,
        seconds=seconds,
        seen=_count(details, "seen"),
        changed=_count(details, "changed"),
        by_rule=_counts(details.get("by_rule")),
        skipped=_counts(details.get("skipped")),
        facts=facts,
    )


def _counts(value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {str(key): n for key, n in value.items() if isinstance(n, int)}


def _step(stats: Any, name: str) -> Any:
    steps = stats.get("steps") if isinstance(stats, Mapping) else None
    return steps.get(name) if isinstance(steps, Mapping) else None


def _count(step: Any, name: str) -> int | None:
    value = step.get(name) if isinstance(step, Mapping) else None
    return value if isinstance(value, int) else None
