"""The verdict on the whole: satisfactory share, open conflicts, last run; the worst one counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from scout_core import coverage, sql
from scout_core.settings import Settings

Status = Literal["OK", "WARN", "STALE", "UNKNOWN", "FAIL"]  # the worst last
LIMA = ZoneInfo("America/Lima")


@dataclass(frozen=True)
class Reason:
    """One indicator: its state, the value, the threshold that decides, since when (UTC)."""

    indicator: str
    status: Status
    value: float | int | str | None
    threshold: str
    since: datetime | None
    text: str


@dataclass(frozen=True)
class Verdict:
    """The worst state of the indicators, and each of them."""

    status: Status
    reasons: tuple[Reason, ...]


def assess(conn: Connection, settings: Settings, now: datetime) -> Verdict:
    """The health at `now` (aware). Reads the snapshot view, metrics history and runs."""
    snapshot = coverage.snapshot(conn)
    history = [
        dict(r) for r in conn.execute(sql.query("health", "history"), {"now": now}).mappings()
    ]
    last_runs = [dict(r) for r in conn.execute(sql.query("health", "last_runs")).mappings()]
    reasons = (
        _satisfactory(snapshot, history, settings, now),
        _conflicts(snapshot, history, settings, now),
        judge_runs(last_runs, settings, now),
    )
    return Verdict(max((r.status for r in reasons), key=get_args(Status).index), reasons)


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


def judge_runs(last_runs: Sequence[dict[str, Any]], settings: Settings, now: datetime) -> Reason:
    """State of the job from its last runs, newest first."""
    late = timedelta(minutes=settings.health_late_minutes)
    threshold = f"completed within {_duration(late)}"
    running = next((r for r in last_runs if r["status"] == "RUNNING"), None)
    ended = next((r for r in last_runs if r["status"] != "RUNNING"), None)
    if ended is not None and ended["status"] == "FAILED":
        return Reason(
            "last_run",
            "FAIL",
            "FAILED",
            threshold,
            ended["completed_at"],
            f"run {ended['run_id']} failed: {ended['error'] or 'no reason recorded'}",
        )
    if running and now - running["started_at"] > timedelta(minutes=settings.health_stuck_minutes):
        return Reason(
            "last_run",
            "WARN",
            "RUNNING",
            f"runs at most {settings.health_stuck_minutes} min",
            running["started_at"],
            f"run {running['run_id']} has run for {_duration(now - running['started_at'])}",
        )
    if ended is None:
        if running is not None:
            return Reason(
                "last_run",
                "OK",
                "RUNNING",
                threshold,
                running["started_at"],
                f"run {running['run_id']} is the first and still running",
            )
        return Reason("last_run", "UNKNOWN", None, threshold, None, "the job has never run")
    age = now - ended["completed_at"]
    said = f"run {ended['run_id']} completed {_duration(age)} ago"
    if age > late:
        return Reason(
            "last_run",
            "WARN",
            "COMPLETED",
            threshold,
            ended["completed_at"] + late,
            f"{said}: late",
        )
    on_time = "" if age <= timedelta(hours=1) else ", on schedule"
    return Reason("last_run", "OK", "COMPLETED", threshold, ended["completed_at"], said + on_time)


def _satisfactory(
    snapshot: coverage.Snapshot,
    history: Sequence[dict[str, Any]],
    settings: Settings,
    now: datetime,
) -> Reason:
    leads = settings.health_population == "leads"
    pct = snapshot.pct_scout_satisfactory_leads if leads else snapshot.pct_scout_satisfactory
    value = None if pct is None else float(pct)
    status = judge_share(value, settings)
    total, whom = (
        (snapshot.lead_persons, "lead persons") if leads else (snapshot.total_persons, "persons")
    )
    past = [
        (
            row["metric_date"],
            judge_share(
                _share(row["satisfactory_lead_count"], row["lead_persons"])
                if leads
                else _share(row["satisfactory_count"], row["total_persons"]),
                settings,
            ),
        )
        for row in history
    ]
    text = (
        f"no {whom} yet" if value is None else f"{value:.2f} % of {total:,} {whom} have their scout"
    )
    return Reason(
        "satisfactory",
        status,
        value,
        f"OK above {settings.health_satisfactory_ok_pct:g} %, FAIL below "
        f"{settings.health_satisfactory_fail_pct:g} %",
        _since(status, past, now),
        text,
    )


def _conflicts(
    snapshot: coverage.Snapshot,
    history: Sequence[dict[str, Any]],
    settings: Settings,
    now: datetime,
) -> Reason:
    count = snapshot.conflicts_count
    status = judge_conflicts(count, settings)
    past = [
        (r["metric_date"], judge_conflicts(r["conflicts_count"], settings))
        for r in history
        if r["conflicts_count"] is not None
    ]
    return Reason(
        "conflicts",
        status,
        count,
        f"OK below {settings.health_conflicts_warn}, FAIL above {settings.health_conflicts_fail}",
        _since(status, past, now),
        f"{count:,} open conflict{'' if count == 1 else 's'}",
    )


def _since(status: Status, past: Sequence[tuple[date, Status]], now: datetime) -> datetime:
    """Start of the days, newest first, that had the same state without a break up to today."""
    since = datetime.combine(now.astimezone(LIMA), time(), LIMA).astimezone(UTC)
    for day, state in past:
        if state != status:
            break
        since = datetime.combine(day, time(), LIMA).astimezone(UTC)
    return since


def _share(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None


def _duration(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"
