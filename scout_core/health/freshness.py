"""Whether the sources still arrive: newest row, rows of today against the usual, holidays known.

Counting goes through whole tables, so it is done every few minutes and kept; whoever judges reads
what was counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from sqlalchemy import Connection

from scout_core import logs
from scout_core.days import LIMA
from scout_core.db import sql
from scout_core.db.database import SETTLE, Database
from scout_core.errors import ScoutError
from scout_core.health.holidays import is_holiday
from scout_core.health.states import Status
from scout_core.settings import Settings

SOURCES = (
    "observational.lead_ledger",
    "observational.lead_events",
    "public.module_ct_scouting_daily",
    "public.module_ct_migrations",
    "public.module_ct_cabinet_payments",
    "public.module_ct_cabinet_leads",
)
WEEKS = 6  # of the same weekday, from which the usual is taken

_log = logs.get_logger("freshness")


@dataclass(frozen=True)
class Drop:
    """A Lima day of a source with few rows, against the usual of such a day."""

    on_date: date
    row_count: int
    usual: float


@dataclass(frozen=True)
class Source:
    """A source: its newest row (UTC), rows of today and the usual of such a day, its state.

    newest_at null = no row at all. usual null = not enough days to tell. quiet_days: working days
    in a row up to yesterday without a row. looked_at: when it was counted; today is that day.
    drop: the last whole day that counts, when it brought few rows.
    """

    name: str
    status: Status
    newest_at: datetime | None
    rows_today: int
    usual_today: float | None
    quiet_days: int
    looked_at: datetime
    drop: Drop | None


def list_sources(conn: Connection, settings: Settings) -> list[Source]:
    """Every source as last counted, in the order of its priority; none before the first time.

    Reads scout.source_arrivals.
    """
    seen = {
        row.source_table: row
        for row in conn.execute(sql.query("health/freshness", "list_arrivals"))
    }
    return [
        judge(
            name,
            {date.fromisoformat(day): rows for day, rows in seen[name].rows_of_day.items()},
            seen[name].newest_at,
            seen[name].looked_at,
            settings,
        )
        for name in SOURCES
        if name in seen
    ]


def count_persons(conn: Connection) -> dict[str, int]:
    """Persons whose scout rests on a source, by its name. Reads scout.v_attribution_totals."""
    return {
        row.source_table: row.person_count
        for row in conn.execute(sql.query("health/freshness", "count_persons"))
    }


def record_arrivals(conn: Connection, now: datetime, *, pause: timedelta = timedelta(0)) -> bool:
    """Count every source anew and keep it, unless that was done within the pause; whether it was
    done. Reads scout.v_source_arrivals: all source tables."""
    values = {"now": now, "pause": pause, "names": list(SOURCES)}
    return conn.execute(sql.statement("health/freshness/record_arrivals"), values).rowcount > 0


def look_if_due(
    db: Database, settings: Settings, now: datetime, *, somebody_waits: bool = False
) -> bool:
    """Count the sources anew when the last time is SCOUT_HEALTH_SOURCES_MINUTES ago, or where
    somebody waits for what comes next, only when it is so long ago that the light would go out;
    whether it was done. Whoever calls goes on, whatever comes."""
    minutes = settings.health_late_minutes if somebody_waits else settings.health_sources_minutes
    try:
        with db.transaction(SETTLE) as conn:
            return record_arrivals(conn, now, pause=timedelta(minutes=minutes))
    except ScoutError as exc:
        _log.warning("sources not counted, it is tried again", reason=exc.message)
        return False


def judge(
    name: str,
    rows_of_day: Mapping[date, int],
    newest_at: datetime | None,
    looked_at: datetime,
    settings: Settings,
) -> Source:
    """The state of a source on the day it was counted, which was not over and so never counts
    against it.

    STALE: nothing on SCOUT_HEALTH_SOURCES_QUIET_DAYS working days in a row up to yesterday. WARN:
    nothing on the last one, or less than SCOUT_HEALTH_SOURCES_LOW_PCT of the usual. UNKNOWN: no
    row at all.
    """
    today = looked_at.astimezone(LIMA).date()
    quiet_days = 0
    last: Drop | None = None
    day = today - timedelta(days=1)
    for _ in range(14 + 2 * settings.health_sources_quiet_days):
        expected = usual(rows_of_day, day)
        if expected is not None and expected >= 1 and not is_holiday(day):
            rows = rows_of_day.get(day, 0)
            last = last or Drop(day, rows, expected)
            if rows:
                break
            quiet_days += 1
        day -= timedelta(days=1)
    is_few = (
        last is not None and last.row_count < settings.health_sources_low_pct / 100 * last.usual
    )
    status: Status = "OK"
    if newest_at is None:
        status = "UNKNOWN"
    elif quiet_days >= settings.health_sources_quiet_days and not rows_of_day.get(today, 0):
        status = "STALE"
    elif is_few:
        status = "WARN"
    return Source(
        name,
        status,
        newest_at,
        rows_of_day.get(today, 0),
        usual(rows_of_day, today),
        quiet_days,
        looked_at,
        last if is_few else None,
    )


def usual(rows_of_day: Mapping[date, int], day: date) -> float | None:
    """Median of the same weekday in the weeks before that were no holiday; on a holiday that of
    Sundays. Null when the source is younger than three of them."""
    first = min(rows_of_day, default=None)
    if first is None:
        return None
    like = day - timedelta(days=(day.weekday() + 1) % 7) if is_holiday(day) else day
    before = [like - timedelta(weeks=week) for week in range(0 if like < day else 1, WEEKS + 1)]
    seen = [d for d in before if d >= first and not is_holiday(d)]
    if len(seen) < 3:
        return None
    return float(median(rows_of_day.get(d, 0) for d in seen))
