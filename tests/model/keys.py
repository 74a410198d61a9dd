"""Values as the rules read them: scouts, licenses, phones, days, the older scouting key."""

import hashlib
import json
import re
from decimal import Decimal
from typing import Any

LARGEST_SCOUT = 2147483647
PAYLOAD_LIMIT = 64 * 1024
BLANKS = " \t\r\n"
STOP_NUMBERS = {"123456789", "987654321"}
DIGITS = "0123456789"
UPPER = {ord(c): ord(c) - 32 for c in "abcdefghijklmnopqrstuvwxyz"}


def parse_scout(text: str | None) -> int | None:
    """The scout that a text names, None when it is absent or unreadable."""
    trimmed = (text or "").strip(BLANKS)
    if not re.fullmatch("[0-9]{1,10}", trimmed):
        return None
    number = int(trimmed)
    return number if 1 <= number <= LARGEST_SCOUT else None


def is_unreadable(text: str | None) -> bool:
    """True when the text says something that is no scout; absent text (null, '', blanks) is not."""
    return (text or "").strip(BLANKS) != "" and parse_scout(text) is None


def license_key(text: str | None) -> str | None:
    """The license as it is compared, None when it is no identifier."""
    kept = "".join(c for c in (text or "").translate(UPPER) if c in DIGITS or "A" <= c <= "Z")
    return kept if len(kept) >= 6 and any(c in DIGITS for c in kept) else None


def phone_key(text: str | None) -> str | None:
    """The last nine digits of a mobile number of Peru, None when it is no identifier."""
    digits = "".join(c for c in (text or "") if c in DIGITS)
    last = digits[-9:]
    if len(last) < 9 or last[0] != "9" or len(set(last)) == 1 or last in STOP_NUMBERS:
        return None
    return last


def scouting_md5_key(
    scout_id: int | None, phone: str | None, license_text: str | None, registered_on: str | None
) -> str:
    """The key under which the older system linked a scouting row. registered_on is YYYY-MM-DD."""
    bare_phone = re.sub(r"[ \t\r\n\f\v()+-]", "", phone or "")
    bare_phone = bare_phone if len(bare_phone) >= 8 else ""
    bare_license = re.sub(r"[ \t\r\n\f\v-]", "", (license_text or "").translate(UPPER))
    scout = "" if scout_id is None else str(scout_id)
    joined = "|".join([scout, bare_phone, bare_license, registered_on or ""])
    return hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest()


def sound_day(text: str | None) -> str | None:
    """A day of 1900..2199 as YYYY-MM-DD, None for null, infinity, BC and the years outside."""
    if text is None or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    return text if 1900 <= int(text[:4]) <= 2199 else None


def json_text(value: Any) -> str | None:
    """What PostgreSQL's ->> gives for a value inside a jsonb document."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    return json.dumps(value, default=str)


def read_json(text: str) -> Any:
    """A JSON text with exact numbers."""
    return json.loads(text, parse_float=Decimal)
