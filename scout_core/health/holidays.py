"""Holidays of Peru: days on which a quiet source is no fault."""

import importlib.util
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any


def is_holiday(day: date) -> bool:
    """Whether nobody has to work on this day in Peru. By the package `holidays`."""
    return day in _of_year(day.year)


@cache
def _of_year(year: int) -> frozenset[date]:
    return frozenset(_peru()(years=year))


@cache
def _peru() -> Any:
    """The class of Peru, from its own file: the package of countries imports all 250 of them,
    which takes three times as long and twice the memory."""
    import holidays

    file = Path(holidays.__file__).parent / "countries" / "peru.py"
    spec = importlib.util.spec_from_file_location("scout_core._holidays_of_peru", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Peru
