"""The five states of whatever is watched, and which of several counts."""

from collections.abc import Iterable
from typing import Literal, get_args

Status = Literal["OK", "WARN", "STALE", "UNKNOWN", "FAIL"]  # the worst last


def worst(states: Iterable[Status]) -> Status:
    """The worst of some states; OK where there is none."""
    return max(states, key=get_args(Status).index, default="OK")
