"""What a filter of a list may be: values are checked here, before the database sees them."""

import re
from collections.abc import Collection
from datetime import date
from uuid import UUID

from scout_core import personal
from scout_core.errors import BadInput

MAX_SCOUT_ID = 2**31 - 1
MAX_TEXT = 200
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
# What the sources of evidence are called in the views.
EVIDENCE_SOURCES = (
    "observational.lead_ledger",
    "observational.lead_events",
    "public.module_ct_migrations",
    "public.module_ct_scouting_daily",
    "public.module_ct_cabinet_payments",
)

_KEY_PART = re.compile(r"[0-9a-f-]{1,36}", re.ASCII)
_NOBODY = (str(UUID(int=2**128 - 1)), str(UUID(int=0)))


def check_choice(value: str | None, allowed: Collection[str], parameter: str) -> str | None:
    """The value when it is one of those allowed, or none was given. BadInput otherwise."""
    if value is not None and value not in allowed:
        shown = value[:40].encode("ascii", "backslashreplace").decode()
        raise BadInput(
            f"{parameter} is {shown!r}: give one of {', '.join(allowed)}.",
            parameter=parameter,
            allowed=f"one of {', '.join(allowed)}",
        )
    return value


def check_scout(value: int | None) -> int | None:
    """A scout id within what a scout id can be. BadInput otherwise."""
    return value if value is None else check_number(value, "scout_id")


def check_number(value: int, parameter: str) -> int:
    """The number of a row, a run or a scout, within what it can be. BadInput otherwise."""
    if not 1 <= value <= MAX_SCOUT_ID:
        raise BadInput(
            f"{parameter} must be a number from 1 to {MAX_SCOUT_ID:,}.", parameter=parameter
        )
    return value


def check_days(since: date | None, until: date | None) -> None:
    """BadInput for days that no list holds, or a range that ends before it starts."""
    for name, day in (("since", since), ("until", until)):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise BadInput(f"{name} must be a day from 1900 to 2199.", parameter=name)
    if since is not None and until is not None and until < since:
        raise BadInput(
            f"until ({until}) is before since ({since}).",
            parameter="until",
            allowed="a day that is not before since",
        )


def check_text(value: str | None, parameter: str = "text") -> str | None:
    """A search text without blanks around it, null when nothing is left. BadInput when the
    database could not hold it or it is longer than 200 characters."""
    trimmed = (value or "").strip()
    try:
        trimmed.encode()
    except UnicodeEncodeError as exc:
        raise BadInput(
            f"{parameter} has characters that stand for nothing: type it anew.", parameter=parameter
        ) from exc
    if "\0" in trimmed or len(trimmed) > MAX_TEXT:
        raise BadInput(
            f"{parameter} must have at most {MAX_TEXT} characters and no NUL.", parameter=parameter
        )
    return trimmed or None


def is_like_a_key(text: str) -> bool:
    """Whether a typed text can be part of a key or the number of a row, and not of a phone or a
    document. Nothing else that somebody types may stand in an address."""
    return bool(_KEY_PART.fullmatch(text.lower())) and personal.find_kind(text) is None


def key_range(value: str | None) -> tuple[str | None, str | None]:
    """The first and last person key that starts with a text; nobody's for a text that is no part
    of a key, (null, null) without a text. Case and hyphens do not matter."""
    part = check_text(value)
    if part is None:
        return None, None
    digits = part.lower().replace("-", "")
    if not _KEY_PART.fullmatch(part.lower()) or not digits or len(digits) > 32:
        return _NOBODY
    return str(UUID(digits.ljust(32, "0"))), str(UUID(digits.ljust(32, "f")))
