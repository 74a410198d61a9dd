"""Holidays of Peru: days on which a quiet source is no fault."""

from datetime import date, timedelta
from functools import cache

# month, day, first year in which the law has it
_FIXED = (
    (1, 1, 0),
    (5, 1, 0),
    (6, 7, 2024),
    (6, 29, 0),
    (7, 23, 2023),
    (7, 28, 0),
    (7, 29, 0),
    (8, 6, 2022),
    (8, 30, 0),
    (10, 8, 0),
    (11, 1, 0),
    (12, 8, 0),
    (12, 9, 2022),
    (12, 25, 0),
)


def is_holiday(day: date) -> bool:
    """Whether nobody has to work on this day in Peru."""
    return day in _of_year(day.year)


@cache
def _of_year(year: int) -> frozenset[date]:
    easter = _easter(year)
    fixed = {date(year, month, day) for month, day, since in _FIXED if year >= since}
    return frozenset(fixed | {easter - timedelta(days=3), easter - timedelta(days=2)})


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones, Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)
