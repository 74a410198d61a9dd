"""Whether a source still arrives, from its rows per day; holidays of Peru."""

from datetime import UTC, date, datetime, timedelta

import pytest

from scout_core import freshness
from scout_core.holidays import is_holiday

TODAY = date(2026, 11, 18)  # a Wednesday
NOON = datetime(2026, 11, 18, 17, tzinfo=UTC)


def days(*, per_day=10, without=(), upto=TODAY):
    """Rows on each of 50 days up to yesterday, but for those without."""
    every = (upto - timedelta(days=n) for n in range(1, 51))
    return {day: per_day for day in every if day not in without}


def judge(rows, today=TODAY):
    return freshness.judge("a", rows, NOON if rows else None, today)


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


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 4, 2),
        date(2026, 4, 3),
        date(2025, 4, 18),
        date(2024, 3, 29),
        date(2026, 7, 28),
        date(2026, 12, 25),
    ],
)
def test_holidays_of_peru(day):
    assert is_holiday(day)
    assert not is_holiday(date(2026, 11, 18))
    assert not is_holiday(date(2010, 6, 7))
