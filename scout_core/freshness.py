"""Whether the sources still arrive: newest row, rows of today against the usual, holidays known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from sqlalchemy import Connection

from scout_core import sql
from scout_core.days import LIMA
from scout_core.health import Status
from scout_core.holidays import is_holiday

SOURCES = (
    "observational.lead_ledger",
    "observational.lead_events",
    "public.module_ct_scouting_daily",
    "public.module_ct_migrations",
    "public.module_ct_cabinet_payments",
    "public.module_ct_cabinet_leads",
)
WEEKS = 6  # of the same weekday, from which the usual is taken
FEW = 0.5  # of the usual: a whole day below it asks for attention
LOOKED_BACK = 14  # days among which the last one that counts is looked for


@dataclass(frozen=True)
class Source:
    """A source: its newest row (UTC), rows of today and the usual of such a day, its state.

    newest_at null = no row at all. usual null = not enough days to tell. person_count: persons
    whose scout rests on it.
    """

    name: str
    status: Status
    newest_at: datetime | None
    rows_today: int
    usual_today: float | None
    quiet_days: int
    person_count: int


@dataclass(frozen=True)
class Drop:
    """A source and Lima day with few rows, against the usual of such a day."""

    source: str
    day: date
    row_count: int
    usual: float


def list_sources(conn: Connection, now: datetime) -> list[Source]:
    """Every source in the order of its priority. Reads scout.v_source_arrivals."""
    days: dict[str, dict[date, int]] = {name: {} for name in SOURCES}
    newest: dict[str, datetime] = {}
    for row in conn.execute(sql.query("freshness", "list_arrivals")):
        days[row.source_table][row.on_date] = row.row_count
        newest[row.source_table] = row.newest_at
    persons = {
        row.source_table: row.person_count
        for row in conn.execute(sql.query("freshness", "count_persons"))
    }
    today = now.astimezone(LIMA).date()
    return [
        judge(name, days[name], newest.get(name), today, persons.get(name, 0)) for name in SOURCES
    ]


def list_drops(conn: Connection, now: datetime) -> list[Drop]:
    """The sources whose last whole day that counts brought few rows, in the order of priority."""
    days: dict[str, dict[date, int]] = {name: {} for name in SOURCES}
    for row in conn.execute(sql.query("freshness", "list_arrivals")):
        days[row.source_table][row.on_date] = row.row_count
    today = now.astimezone(LIMA).date()
    found = []
    for name, rows_of_day in days.items():
        for back in range(1, LOOKED_BACK + 1):
            day = today - timedelta(days=back)
            expected = expected_on(rows_of_day, day)
            if expected is not None:
                rows = rows_of_day.get(day, 0)
                found += [Drop(name, day, rows, expected)] if is_few(rows, expected) else []
                break
    return found


def judge(
    name: str,
    rows_of_day: Mapping[date, int],
    newest_at: datetime | None,
    today: date,
    person_count: int = 0,
) -> Source:
    """The state of a source on `today`, which is not over yet and so never counts against it.

    STALE: nothing on two working days in a row up to yesterday. WARN: nothing on the last one, or
    less than half of the usual. UNKNOWN: no row at all.
    """
    quiet_days = 0
    last: tuple[int, float] | None = None
    day = today - timedelta(days=1)
    for _ in range(LOOKED_BACK):
        expected = expected_on(rows_of_day, day)
        if expected is not None:
            rows = rows_of_day.get(day, 0)
            last = last or (rows, expected)
            if rows:
                break
            quiet_days += 1
        day -= timedelta(days=1)
    status: Status = "OK"
    if newest_at is None:
        status = "UNKNOWN"
    elif quiet_days >= 2 and not rows_of_day.get(today, 0):
        status = "STALE"
    elif last is not None and is_few(*last):
        status = "WARN"
    return Source(
        name,
        status,
        newest_at,
        rows_of_day.get(today, 0),
        usual(rows_of_day, today),
        quiet_days,
        person_count,
    )


def expected_on(rows_of_day: Mapping[date, int], day: date) -> float | None:
    """The usual of a day on which rows are to be expected; null on a holiday, on one that is always
    quiet, and where there are not enough days to tell."""
    expected = usual(rows_of_day, day)
    counts = expected is not None and expected >= 1 and not is_holiday(day)
    return expected if counts else None


def is_few(rows: int, expected: float) -> bool:
    """Whether a whole day brought so few rows that it asks for attention."""
    return rows < FEW * expected


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
