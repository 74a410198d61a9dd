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
# words of people who have no license yet; a letter with an accent is no letter of a license
WAITING = (
    *("TRAMITE", "TRMITE", "PENDIENTE", "NINGUN", "NINGN", "NOTIENE"),
    *("SIN", "CONFIRMAR", "PROCESO", "FALTA", "XX"),
)
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
    bare = _without_decimal((text or "").translate(UPPER))
    kept = "".join(c for c in bare if c in DIGITS or "A" <= c <= "Z")
    if len(kept) < 6 or not any(c in DIGITS for c in kept):
        return None
    before, exponent, after = kept.partition("E")
    if exponent and is_digits(before) and is_digits(after):
        return None
    if len(set(kept)) == 1 or set(kept.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == {"0"}:
        return None
    return None if any(word in kept for word in WAITING) else kept


def phone_key(text: str | None) -> str | None:
    """The nine digits of a mobile number of Peru, None when it is no identifier."""
    bare = "".join(c for c in _without_decimal(text or "") if c not in BLANKS + "-.()")
    for prefixes in (("+", "00"), ("51",), ("0",)):
        bare = next((bare.removeprefix(p) for p in prefixes if bare.startswith(p)), bare)
    is_mobile = len(bare) == 9 and is_digits(bare) and bare[0] == "9"
    return bare if is_mobile and len(set(bare)) > 1 and bare not in STOP_NUMBERS else None


def is_digits(text: str) -> bool:
    """True for one or more of 0 to 9."""
    return text != "" and all(c in DIGITS for c in text)


def _without_decimal(text: str) -> str:
    return text.rstrip(BLANKS).removesuffix(".0")


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
