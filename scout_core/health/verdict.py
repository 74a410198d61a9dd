"""The verdict on the whole: satisfactory share, open conflicts, last run; the worst one counts.

Beside it three lights: scheduler, last run, sources. Everybody who tells the health, pages, API,
command line, metrics and alerts, tells what `assess` says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import Connection

from scout_core.attribution import coverage
from scout_core.days import LIMA
from scout_core.db import grounds, sql
from scout_core.health import freshness
from scout_core.health.conditions import Condition, Severity
from scout_core.health.freshness import Source
from scout_core.health.lights import (
    LastRun,
    Reason,
    judge_begin,
    judge_runs,
    judge_scheduler,
    judge_sources,
    said_of,
)
from scout_core.health.states import Status, worst
from scout_core.settings import Settings

OVERALL = "overall"
JOB = "scout_attribution_refresh"
UNKNOWN_WHILE_HIDDEN = "unknown while the sources cannot be read as they are"


@dataclass(frozen=True)
class Verdict:
    """The worst state of the three indicators, each of them, and the lights beside.

    reasons: satisfactory, conflicts, last_run. lights: scheduler, last_run, sources; they have a
    state each and do not count. runs: the last ones of the job, newest first; sources: each.
    """

    status: Status
    reasons: tuple[Reason, ...]
    lights: tuple[Reason, ...]
    runs: tuple[LastRun, ...]
    sources: tuple[Source, ...]

    @property
    def told(self) -> tuple[Reason, ...]:
        """Every indicator and light once."""
        return (*self.reasons, *(light for light in self.lights if light not in self.reasons))


@dataclass(frozen=True)
class Change:
    """A change of state. indicator: overall, an indicator or a light; from_status null = first
    seen; run_id null = seen between two runs. changed_at in UTC."""

    indicator: str
    from_status: Status | None
    to_status: Status
    changed_at: datetime
    value: str | None
    run_id: int | None


@dataclass(frozen=True)
class _Numbers:
    total_persons: int
    satisfactory_count: int
    lead_persons: int
    satisfactory_lead_count: int
    conflicts_count: int | None


def assess(
    conn: Connection, settings: Settings, now: datetime, *, completing: int | None = None
) -> Verdict:
    """The health at `now` (aware). Reads the snapshot view, metrics history, runs, changes of
    state and the sources as last counted.

    completing: the run that is about to commit counts as completed at `now`, with the numbers
    that it recorded.
    """
    troubles = grounds.list_stopping(conn)
    # numbers from a part of the rows, or from another table, would be wrong
    numbers = None if troubles else _numbers(conn, completing)
    runs = _last_runs(conn, now, completing)
    sources = tuple(freshness.list_sources(conn, settings))
    unread = not troubles and conn.scalar(sql.query("health/verdict", "scouts_list")) is True
    known = _newest_changes(conn)
    share = _satisfactory(numbers, settings)
    conflicts = _conflicts(numbers, settings)
    if numbers is not None and not (_is_known(share, known) and _is_known(conflicts, known)):
        days = [
            (row.metric_date, _Numbers(*row[1:]))
            for row in conn.execute(sql.query("health/verdict", "history"), {"now": now})
        ]
        share = _since_the_day(share, [(d, _judge_numbers(n, settings)) for d, n in days], now)
        conflicts = _since_the_day(
            conflicts,
            [
                (d, judge_conflicts(n.conflicts_count, settings))
                for d, n in days
                if n.conflicts_count is not None
            ],
            now,
        )
    last_run = judge_runs(runs, settings, now)
    if completing is None:
        taken = conn.scalar(sql.query("health/verdict", "taken_run_number"))
        last_run = judge_begin(last_run, taken)
    reasons = (_since(share, known), _since(conflicts, known), last_run)
    lights = (
        _since(judge_scheduler(runs, settings, now), known),
        last_run,
        _since(judge_sources(sources, settings, now, troubles, no_scout_known=unread), known),
    )
    return Verdict(worst(r.status for r in reasons), reasons, lights, runs, sources)


def judge_share(pct: float | None, settings: Settings) -> Status:
    """State of a satisfactory share in percent; null = nobody to attribute."""
    if pct is None:
        return "UNKNOWN"
    if pct > settings.health_satisfactory_ok_pct:
        return "OK"
    return "FAIL" if pct < settings.health_satisfactory_fail_pct else "WARN"


def judge_conflicts(count: int, settings: Settings) -> Status:
    """State of a number of open conflicts."""
    if count < settings.health_conflicts_warn:
        return "OK"
    return "FAIL" if count > settings.health_conflicts_fail else "WARN"


def record_changes(
    conn: Connection, verdict: Verdict, now: datetime, run_id: int | None = None
) -> tuple[Change, ...]:
    """Keep what has another state than when it was last looked at; nothing when nothing has.

    run_id: the run in whose commit it is seen. Writes scout.health_changes.
    """
    deciding = [r.indicator for r in verdict.reasons if r.status == verdict.status]
    seen = [
        *((r.indicator, r.status, _value(r)) for r in verdict.told),
        (OVERALL, verdict.status, ", ".join(deciding)),
    ]
    rows = conn.execute(
        sql.statement("health/verdict/record_changes"),
        {
            "indicators": [indicator for indicator, _, _ in seen],
            "states": [status for _, status, _ in seen],
            "seen": [value for _, _, value in seen],
            "now": now,
            "run_id": run_id,
        },
    )
    return tuple(Change(**row) for row in rows.mappings())


def list_changes(conn: Connection, *, limit: int = 50) -> list[Change]:
    """The newest changes of state, newest first. Reads scout.health_changes."""
    rows = conn.execute(sql.query("health/verdict", "list_changes"), {"row_limit": limit})
    return [Change(**row) for row in rows.mappings()]


def conditions(verdict: Verdict) -> list[Condition]:
    """What asks for attention by this verdict; one cause is one condition.

    WORKER_LOST stays until the run after the one that took over has ended: the run that finds
    the dead one may end well a moment later.
    """
    found = _conditions_of_runs(verdict)
    covered = {"last_run"} if found else set()
    bad = [r for r in verdict.reasons if r.status != "OK" and r.indicator not in covered]
    if bad:
        text = "; ".join(r.text for r in bad)
        severity: Severity = "FAIL" if worst(r.status for r in bad) == "FAIL" else "WARN"
        found.append(Condition("HEALTH_CHANGED", OVERALL, severity, f"{verdict.status}: {text}"))
    light = next(r for r in verdict.lights if r.indicator == "sources")
    if light.status not in {"UNKNOWN", "FAIL"}:
        found += [
            Condition("SOURCE_STALE", source.name, "WARN", said_of(source))
            for source in verdict.sources
            if source.status == "STALE"
        ]
    return found


def _conditions_of_runs(verdict: Verdict) -> list[Condition]:
    last_run = next(r for r in verdict.reasons if r.indicator == "last_run")
    scheduler = next(r for r in verdict.lights if r.indicator == "scheduler")
    ended = [run for run in verdict.runs if run.status != "RUNNING"][:2]
    found = []
    if ended and ended[0].is_failed:
        rule = "JOB_FAILED"
        if ended[0].is_lost:
            rule = "WORKER_LOST"
        elif ended[0].is_stopped_by_guard:
            rule = "GUARD_STOPPED"
        found.append(Condition(rule, JOB, "FAIL", last_run.text))
    elif len(ended) > 1 and ended[1].is_lost:
        text = f"run {ended[1].run_id} was lost with its process; run {ended[0].run_id} took over"
        found.append(Condition("WORKER_LOST", JOB, "WARN", text))
    late = [r.text for r in (last_run, scheduler) if r.status == "WARN"]
    if late:
        found.append(Condition("JOB_LATE", JOB, "WARN", "; ".join(late)))
    return found


def _value(reason: Reason) -> str | None:
    if isinstance(reason.value, float):
        return f"{reason.value:.2f}"
    return None if reason.value is None else str(reason.value)


def _numbers(conn: Connection, completing: int | None) -> _Numbers:
    if completing is not None:
        recorded = conn.execute(
            sql.query("health/verdict", "recorded_today"), {"run_id": completing}
        ).one_or_none()
        if recorded is not None:
            return _Numbers(*recorded)
    now = coverage.snapshot(conn)
    return _Numbers(
        now.total_persons,
        now.persons_with_scout_satisfactory,
        now.lead_persons,
        now.satisfactory_lead_persons,
        now.conflicts_count,
    )


def _last_runs(conn: Connection, now: datetime, completing: int | None) -> tuple[LastRun, ...]:
    runs = (
        LastRun(**row) for row in conn.execute(sql.query("health/verdict", "last_runs")).mappings()
    )
    return tuple(
        replace(run, status="COMPLETED", completed_at=now)
        if run.run_id == completing and run.status == "RUNNING"
        else run
        for run in runs
    )


def _newest_changes(conn: Connection) -> dict[str, Change]:
    names = ["satisfactory", "conflicts", "scheduler", "sources"]
    rows = conn.execute(sql.query("health/verdict", "newest_changes"), {"indicators": names})
    return {row["indicator"]: Change(**row) for row in rows.mappings()}


def _satisfactory(numbers: _Numbers | None, settings: Settings) -> Reason:
    value, text = None, UNKNOWN_WHILE_HIDDEN
    if numbers is not None:
        value, total, whom = _share(numbers, settings)
        text = f"no {whom} yet"
        if value is not None:
            text = f"{value:.2f} % of {total:,} {whom} have their scout"
    threshold = (
        f"OK above {settings.health_satisfactory_ok_pct:g} %, FAIL below "
        f"{settings.health_satisfactory_fail_pct:g} %"
    )
    return Reason("satisfactory", judge_share(value, settings), value, threshold, None, text)


def _conflicts(numbers: _Numbers | None, settings: Settings) -> Reason:
    threshold = (
        f"OK below {settings.health_conflicts_warn}, FAIL above {settings.health_conflicts_fail}"
    )
    if numbers is None:
        return Reason("conflicts", "UNKNOWN", None, threshold, None, UNKNOWN_WHILE_HIDDEN)
    count = numbers.conflicts_count or 0
    text = f"{count:,} open conflict{'' if count == 1 else 's'}"
    return Reason("conflicts", judge_conflicts(count, settings), count, threshold, None, text)


def _judge_numbers(numbers: _Numbers, settings: Settings) -> Status:
    return judge_share(_share(numbers, settings)[0], settings)


def _share(numbers: _Numbers, settings: Settings) -> tuple[float | None, int, str]:
    """The satisfactory share as it is shown, of how many, and of whom."""
    if settings.health_population == "leads":
        part, whole, whom = numbers.satisfactory_lead_count, numbers.lead_persons, "lead persons"
    else:
        part, whole, whom = numbers.satisfactory_count, numbers.total_persons, "persons"
    if not whole:
        return None, whole, whom
    shown = (Decimal(100 * part) / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return float(shown), whole, whom


def _is_known(reason: Reason, known: Mapping[str, Change]) -> bool:
    """Whether the kept changes say since when an indicator is as it is."""
    change = known.get(reason.indicator)
    return (
        change is not None and change.to_status == reason.status and change.from_status is not None
    )


def _since(reason: Reason, known: Mapping[str, Change]) -> Reason:
    """The reason, since the kept change to its state or since what is known besides."""
    change = known.get(reason.indicator)
    if change is None:
        return reason
    if change.to_status != reason.status:
        # it was something else when it was looked at last
        began = reason.since and max(reason.since, change.changed_at)
        return replace(reason, since=began)
    if change.from_status is not None or reason.since is None:
        return replace(reason, since=change.changed_at)
    return reason


def _since_the_day(reason: Reason, past: Sequence[tuple[date, Status]], now: datetime) -> Reason:
    """Since the first of the days, newest first, that had this state without a break till now."""
    since = _midnight(now.astimezone(LIMA).date())
    for day, state in past:
        if state != reason.status:
            break
        since = _midnight(day)
    return replace(reason, since=since)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LIMA).astimezone(UTC)


__all__ = [
    "Change",
    "LastRun",
    "Reason",
    "Status",
    "Verdict",
    "assess",
    "conditions",
    "judge_conflicts",
    "judge_runs",
    "judge_share",
    "list_changes",
    "record_changes",
]
