"""Find a person by key, phone, licence or name; tell who it is, identifiers masked."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection

from scout_core.access.masks import mask_code, mask_name, mask_phone
from scout_core.db import sql
from scout_core.errors import BadInput

Match = Literal["key", "phone", "license", "name"]

MAX_HITS = 20
MAX_CLAIMS = 100
MAX_TEXT = 200
LEAST_LETTERS = 3
MAX_WORDS = 8
LONGEST_PHONE = 15
ACCENTED = {
    "a": "áàâäãå",
    "c": "ç",
    "e": "éèêë",
    "i": "íìîï",
    "n": "ñ",
    "o": "óòôöõ",
    "u": "úùûü",
    "y": "ýÿ",
}
MARKS = "\u0300-\u0303\u0308\u030a\u0327"  # accents as characters of their own
UNTYPED = ("Cc", "Cs", "Cn", "Co")

_KEY_START = re.compile(r"[0-9a-f]{8,32}")
_PHONE = re.compile(r"[\d\s+().\-/]{9,}", re.ASCII)


@dataclass(frozen=True)
class Hit:
    """A person that was found. Identifiers are masked; scout null = none in the ledger."""

    person_key: str
    matched_by: Match
    name: str | None
    phone: str | None
    license: str | None
    is_lead: bool
    scout_id: int | None
    category: str | None
    conflict_kind: str | None


@dataclass(frozen=True)
class Found:
    """Persons found, best match first, at most MAX_HITS; has_more = there are others."""

    hits: tuple[Hit, ...]
    has_more: bool


@dataclass(frozen=True)
class Identity:
    """Who a person is, masked. Null = no source knows it."""

    name: str | None
    phone: str | None
    license: str | None
    document: str | None


@dataclass(frozen=True)
class PersonClaim:
    """A claim of a person. Amount in soles; null = unknown."""

    driver_id: str | None
    milestone_value: int | None
    lead_date: date | None
    expected_amount: Decimal | None
    due_on: date | None
    yango_payment_status: str | None


def find(conn: Connection, wanted: str) -> Found:
    """Persons whose key (whole or its first eight digits), phone, licence or name is `wanted`.

    A phone in any form, a licence with or without hyphens, a name as some of its words in any
    order, accents and case aside; % and _ mean themselves. BadInput when the text cannot be one.
    """
    words = _readable(wanted)
    matched_by: dict[str, Match] = {}
    for match, parameters in _ways(words):
        query = sql.query("attribution/persons", f"find_by_{match}")
        for key in conn.execute(query, {**parameters, "row_limit": MAX_HITS + 1}).scalars():
            matched_by.setdefault(key, match)
    keys = list(matched_by)[:MAX_HITS]
    rows = conn.execute(sql.query("attribution/persons", "hits"), {"person_keys": keys}).mappings()
    hits = {row["person_key"]: _hit(row, matched_by) for row in rows}
    return Found(tuple(hits[key] for key in keys if key in hits), len(matched_by) > MAX_HITS)


def by_key(conn: Connection, person_key: str) -> Identity:
    """Who the registered person of this key is, masked."""
    parameters = {"person_key": person_key}
    known = (
        conn.execute(sql.query("attribution/persons", "identifiers"), parameters).mappings().one()
    )
    return Identity(
        name=mask_name(known["full_name"]),
        phone=mask_phone(known["phone"]),
        license=mask_code(known["license"]),
        document=mask_code(known["document"]),
    )


def list_claims(conn: Connection, person_key: str) -> tuple[PersonClaim, ...]:
    """The claims of a person, its own and those of its drivers, newest lead first.

    At most MAX_CLAIMS. Reads scout.v_claims.
    """
    parameters = {"person_key": person_key, "row_limit": MAX_CLAIMS}
    rows = conn.execute(sql.query("attribution/persons", "claims"), parameters).mappings()
    return tuple(PersonClaim(**row) for row in rows)


def _readable(wanted: str) -> str:
    """The text as it is searched. BadInput where it is empty, too long or no text at all."""
    if any(unicodedata.category(c) in UNTYPED and not c.isspace() for c in wanted):
        raise BadInput(
            "The text holds characters that nobody can have typed: write it anew.",
            parameter="search_unreadable",
        )
    shown = "".join(c for c in wanted if unicodedata.category(c) != "Cf")
    words = " ".join(unicodedata.normalize("NFKC", shown).split())
    if len(words) > MAX_TEXT:
        raise BadInput(
            f"The text has {len(words):,} characters: give at most {MAX_TEXT}.",
            parameter="search_long",
        )
    if sum(c.isalnum() for c in words) < LEAST_LETTERS:
        raise BadInput(
            f"Give at least {LEAST_LETTERS} letters or digits of a key, phone, licence or name.",
            parameter="search_short",
        )
    return words


def _ways(words: str) -> list[tuple[Match, dict[str, object]]]:
    """What the text may be, surest first, with what each statement needs."""
    if _PHONE.fullmatch(words) and sum(c.isdigit() for c in words) <= LONGEST_PHONE:
        return [("phone", {"phone": words}), ("license", {"license": words})]
    ways: list[tuple[Match, dict[str, object]]] = []
    digits = words.lower().strip("{}").replace("-", "")
    if _KEY_START.fullmatch(digits):
        ways.append(
            ("key", {"first_key": digits.ljust(32, "0"), "last_key": digits.ljust(32, "f")})
        )
    if any(c.isdigit() for c in words):
        ways.append(("license", {"license": words}))
    if not ways or any(c.isspace() for c in words):
        ways.append(("name", {"name_patterns": _name_patterns(words)}))
    return ways


def _name_patterns(words: str) -> list[str]:
    """A regular expression for each word. Letters match with any accent and in either case, all
    else means itself. Cheaper than taking the accents off every name: a tenth of the time."""
    return ["".join(map(_letter_pattern, word)) for word in words.lower().split()[:MAX_WORDS]]


def _letter_pattern(letter: str) -> str:
    plain = _without_accents(letter)
    if len(plain) == 1 and plain in ACCENTED:
        return f"[{plain}{ACCENTED[plain]}{ACCENTED[plain].upper()}][{MARKS}]?"
    if letter.isalpha() and not letter.isascii():
        return f"[{letter}{letter.upper()[0]}]"
    return letter if letter.isalnum() or letter > "~" else f"\\{letter}"


def _without_accents(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words)
    return "".join(c for c in plain if not unicodedata.combining(c))


def _hit(row: Mapping[str, Any] | Any, matched_by: Mapping[str, Match]) -> Hit:
    return Hit(
        person_key=row["person_key"],
        matched_by=matched_by[row["person_key"]],
        name=mask_name(row["full_name"]),
        phone=mask_phone(row["phone"]),
        license=mask_code(row["license"]),
        is_lead=row["is_lead"],
        scout_id=row["ledger_scout_id"],
        category=row["category"],
        conflict_kind=row["conflict_kind"],
    )
