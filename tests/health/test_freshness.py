"""Whether a source still arrives, from its rows per day; holidays of Peru."""

from datetime import UTC, date, datetime, timedelta

import pytest

from scout_core.db.database import CONTROL, LOOK, Database
from scout_core.health import freshness
from scout_core.health.holidays import is_holiday
from scout_core.settings import load
from tests.support.looking import value, write

TODAY = date(2026, 11, 18)  # a Wednesday
SETTINGS = load({}, dotenv=None)


def days(*, per_day=10, without=(), upto=TODAY):
    """Rows on each of 50 days up to yesterday, but for those without."""
    every = (upto - timedelta(days=n) for n in range(1, 51))
    return {day: per_day for day in every if day not in without}


def judge(rows, today=TODAY, settings=SETTINGS):
    noon = datetime(today.year, today.month, today.day, 17, tzinfo=UTC)
    return freshness.judge("a", rows, noon if rows else None, noon, settings)


def test_source_that_arrives_as_usual_is_ok_before_its_first_row_of_the_day():
    seen = judge(days())
    assert (seen.status, seen.rows_today, seen.usual_today, seen.quiet_days) == ("OK", 0, 10, 0)


def test_source_without_any_row_is_unknown():
    assert judge({}).status == "UNKNOWN"


def test_one_quiet_day_asks_for_attention_and_two_are_stale():
    yesterday, before = TODAY - timedelta(days=1), TODAY - timedelta(days=2)
    assert judge(days(without={yesterday})).status == "WARN"
    assert judge(days(without={yesterday, before})).status == "STALE"


def test_rows_of_today_end_the_silence():
    quiet = {TODAY - timedelta(days=1), TODAY - timedelta(days=2)}
    assert judge(days(without=quiet) | {TODAY: 1}).status == "WARN"


def test_half_a_day_is_attention_and_more_is_ok():
    yesterday = TODAY - timedelta(days=1)
    assert judge(days() | {yesterday: 4}).status == "WARN"
    assert judge(days() | {yesterday: 5}).status == "OK"


def test_sundays_that_are_always_empty_are_no_silence():
    monday = date(2026, 11, 16)
    sundays = {monday - timedelta(days=1 + 7 * week) for week in range(8)}
    assert judge(days(without=sundays, upto=monday), monday).status == "OK"


def test_holiday_without_rows_is_no_silence():
    after = date(2026, 12, 10)  # 8 and 9 December are holidays
    quiet = {date(2026, 12, 8), date(2026, 12, 9)}
    assert judge(days(without=quiet, upto=after), after).status == "OK"
    assert judge(days(without={date(2026, 12, 7)} | quiet, upto=after), after).status == "WARN"


def test_limits_are_settings():
    yesterday, before = TODAY - timedelta(days=1), TODAY - timedelta(days=2)
    quiet = days(without={yesterday, before})
    patient = load({"SCOUT_HEALTH_SOURCES_QUIET_DAYS": "3"}, dotenv=None)
    assert judge(quiet, settings=patient).status == "WARN"
    strict = load({"SCOUT_HEALTH_SOURCES_LOW_PCT": "80"}, dotenv=None)
    assert judge(days() | {yesterday: 7}, settings=strict).status == "WARN"
    assert judge(days() | {yesterday: 8}, settings=strict).status == "OK"


def test_sources_are_counted_when_it_is_time_and_judged_from_that(db: Database):
    def look(minutes: float, **how: bool) -> bool:
        return freshness.look_if_due(db, SETTINGS, now + timedelta(minutes=minutes), **how)

    now = datetime.now(UTC)
    with db.transaction(LOOK) as conn:
        assert freshness.list_sources(conn, SETTINGS) == []
    assert [look(0), look(9), look(10), look(19), look(20)] == [True, False, True, False, True]
    assert [look(20 + after, somebody_waits=True) for after in (259, 260)] == [False, True]
    # a clock that was set back, or else nobody would count for as long as it was ahead
    assert look(-60)
    write(
        db,
        "insert into observational.lead_events (source_table, source_pk, event_date, person_key)"
        " values ('x', '1', '2026-03-02', null), ('x', '2', '2026-03-02', null)",
    )
    with db.transaction(CONTROL) as conn:
        freshness.record_arrivals(conn, now)
    with db.transaction(LOOK) as conn:
        sources = {s.name: s for s in freshness.list_sources(conn, SETTINGS)}
    assert list(sources) == list(freshness.SOURCES)
    events = sources["observational.lead_events"]
    assert (events.status, events.rows_today, events.looked_at) == ("OK", 2, now)
    assert events.newest_at == value(db, "select max(created_at) from observational.lead_events")
    ledger = sources["observational.lead_ledger"]
    assert (ledger.status, ledger.rows_today, ledger.newest_at) == ("UNKNOWN", 0, None)


# month, day, first year in which the law has it; then days counted from Easter
LAW = [
    (1, 1, 0), (5, 1, 0), (6, 7, 2024), (6, 29, 0), (7, 23, 2023), (7, 28, 0), (7, 29, 0),
    (8, 6, 2022), (8, 30, 0), (10, 8, 0), (11, 1, 0), (12, 8, 0), (12, 9, 2022), (12, 25, 0),
]  # fmt: skip
EASTER = {2021: (4, 4), 2022: (4, 17), 2024: (3, 31), 2025: (4, 20), 2026: (4, 5)}


@pytest.mark.parametrize("year", EASTER)
def test_holidays_are_those_of_the_law_and_easter_sunday_besides(year):
    easter = date(year, *EASTER[year])
    law = {date(year, month, day) for month, day, since in LAW if year >= since}
    law |= {easter - timedelta(days=3), easter - timedelta(days=2)}
    every = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    assert {day for day in every if day.year == year and is_holiday(day)} == law | {easter}
