"""What the views of runs call a rule, and the number of a run in the address."""

from scout_core.lists.filters import MAX_SCOUT_ID
from ui.parts import link
from ui.parts.text import NOTHING, catalogue, clean, t


def rule_words(rule: str | None) -> str:
    """A rule or reason in words; as it is where there are none."""
    if rule is None:
        return NOTHING
    return t(f"runs.rule_{rule}") if f"runs.rule_{rule}" in catalogue() else clean(rule)


def id_of(name: str) -> int | None:
    """The number under this name of the address; null when it is none."""
    raw = link.value(name) or ""
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 10):
        return None
    return int(raw) if 1 <= int(raw) <= MAX_SCOUT_ID else None
