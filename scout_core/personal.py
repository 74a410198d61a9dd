"""What in a free text looks like the phone, licence, document or e-mail address of a person.

Told by form alone, so a name passes. So do keys, dates, amounts and the numbers of runs and rows.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import Literal

Kind = Literal["phone", "document", "email"]

WORDS: dict[Kind, str] = {
    "phone": "a phone number",
    "document": "a licence or document number",
    "email": "an e-mail address",
}

# category Zs is a blank, these letters, marks and symbols are drawn as nothing
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIATIONS = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))

_KEY = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])"
    r"|\b(?=[0-9]*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\b",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"(?<!\d)(?<!\d[-./])(?:"
    r"(?:19|20|21)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])[-/.](?:19|20|21)\d\d"
    r")(?![-/.]?\d)"
)
_NUMBER = r"\d+(?:[.,]\d{3})*(?:[.,]\d{1,2})?"
_AMOUNT = re.compile(
    rf"(?:S/\.?|US\$|\$|€|\b(?:PEN|USD|soles))\s?(?P<after>{_NUMBER})(?![.,-]?\d)"
    rf"|(?<!\d)(?<!\d[-. (),])(?P<before>{_NUMBER})\s?(?:soles|sol|PEN|USD|d[oó]lares)\b",
    re.IGNORECASE,
)
_MOST_AMOUNT_DIGITS = 8
_EMAIL = re.compile(r"[^\s@<>(),;:]\s?@\s?[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}")
# groups of digits with what stands between the groups of a phone
_CHAIN = re.compile(r"\d+(?:(?:[\s().\-]{1,4}|[/_*·])\d+)*")
_LETTERED = re.compile(r"(?<![^\W_])(?:[A-Z]{1,2}-?)(\d+(?:[\s().\-]{1,4}\d+)*)", re.IGNORECASE)
_DOTTED_DOCUMENT = re.compile(r"(?<![\d.])\d{2}\.\d{3}\.\d{3}(?!\.?\d)")
PHONE_DIGITS = 9
PREFIXED_DIGITS = 13
DOCUMENT_DIGITS = 8


def visible(text: str) -> str:
    """The text without characters that nobody sees; every kind of blank is a blank."""
    return "".join(_shown(char) for char in text)


def find_kind(text: str) -> Kind | None:
    """The first kind of personal data that the text looks like it holds; null when none."""
    plain = _DAY.sub("|", _KEY.sub("|", _plain(text)))
    if _EMAIL.search(plain):
        return "email"
    plain = _AMOUNT.sub(_amount, plain)
    for chain in _CHAIN.finditer(plain):
        for groups in _neighbours(chain.group()):
            if (kind := _kind_of(groups)) is not None:
                return kind
    is_document = (
        _DOTTED_DOCUMENT.search(plain)
        or any(map(_is_document, re.findall(r"\d+", plain)))
        or any(map(_is_lettered, _LETTERED.findall(plain)))
    )
    return "document" if is_document else None


def _shown(char: str) -> str:
    if char in "\n\r\t" or unicodedata.category(char) in ("Zs", "Zl", "Zp"):
        return "\n" if char in "\n\u2028\u2029" else " "
    is_unseen = (
        char in _BLANK_LETTERS
        or unicodedata.category(char) in ("Cc", "Cf", "Cn", "Co")
        or any(ord(char) in variations for variations in _VARIATIONS)
    )
    return "" if is_unseen else char


def _plain(text: str) -> str:
    """Every digit as one of 0 to 9, every dash as a hyphen."""
    folded = unicodedata.normalize("NFKC", visible(text))
    return "".join(
        str(unicodedata.decimal(char))
        if unicodedata.category(char) == "Nd"
        else "-"
        if unicodedata.category(char) == "Pd" or char == "\u2212"
        else char
        for char in folded
    )


def _amount(match: re.Match[str]) -> str:
    digits = re.sub(r"[.,]\d{1,2}$|[.,]", "", match["after"] or match["before"])
    return "|" if len(digits) <= _MOST_AMOUNT_DIGITS else match.group()


def _neighbours(chain: str) -> Iterator[list[str]]:
    """From each group of digits on, as many as make up a phone, or one with a prefix."""
    groups = re.findall(r"\d+", chain)
    for first in range(len(groups)):
        length = 0
        for last in range(first, len(groups)):
            length += len(groups[last])
            if length >= PHONE_DIGITS:
                yield groups[first : last + 1]
            if length >= PREFIXED_DIGITS:
                break


def _kind_of(groups: list[str]) -> Kind | None:
    digits = "".join(groups)
    if len(groups) == 1:
        # longer than any number of a run or row: a tax number when it is no phone
        return "phone" if digits[-PHONE_DIGITS] == "9" else "document"
    if len(digits) > PHONE_DIGITS:
        # the prefix may be written onto the first group
        return "phone" if re.fullmatch(r"(?:00)?519\d{8}|09\d{8}", digits) else None
    is_landline = (
        digits[0] == "0" and len(groups[0]) in (2, 3) and all(len(g) > 2 for g in groups[1:])
    )
    return "phone" if digits[0] == "9" or is_landline else None


def _is_document(group: str) -> bool:
    if len(group) != DOCUMENT_DIGITS:
        return False
    try:
        day = date(int(group[:4]), int(group[4:6]), int(group[6:]))
    except ValueError:
        return True
    return not 2000 <= day.year < 2100


def _is_lettered(chain: str) -> bool:
    """The digits after the letter of a licence, or the letters of a passport."""
    first, *others = re.findall(r"\d+", chain)
    lengths = [len(first)]
    for group in others:
        lengths.append(lengths[-1] + len(group))
    return len(first) == DOCUMENT_DIGITS - 1 or (len(first) > 1 and DOCUMENT_DIGITS in lengths)
