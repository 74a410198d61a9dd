"""Identifiers of a person with most of them hidden: enough to recognise, too little to use."""

from dataclasses import replace
from typing import Any, TypeVar

DOT = "•"
# columns of lists and files that hold the name of a driver; a scout's is no secret here
NAMES = ("driver_name",)

R = TypeVar("R")


def mask_phone(phone: str | None) -> str | None:
    """`9••••• 348`: the first of the last nine digits and the last three; null without digits."""
    digits = "".join(c for c in phone or "" if c in "0123456789")[-9:]
    if len(digits) < 7:
        return DOT * 5 if digits else None
    return f"{digits[0]}{DOT * (len(digits) - 4)} {digits[-3:]}"


def mask_code(code: str | None) -> str | None:
    """`Q4•••••21`: a licence or document by its two first and last letters or digits."""
    kept = "".join(c for c in code or "" if c.isalnum()).upper()
    if not kept:
        return None
    if len(kept) < 7:
        return DOT * 5
    return f"{kept[:2]}{DOT * 5}{kept[-2:]}"


def mask_name(name: str | None) -> str | None:
    """`María H. Q.`: the first word, of the others their first letter; null without letters."""
    words = ["".join(c for c in word if c.isalnum()) for word in (name or "").split()]
    first, *others = [word for word in words if word][:5] or [""]
    if not first:
        return None
    return " ".join([first[:20].capitalize(), *(f"{word[0].upper()}." for word in others)])


def without_names(row: R) -> R:
    """A row of a list (a dataclass) with the names of drivers masked."""
    given = {column: mask_name(getattr(row, column)) for column in NAMES if hasattr(row, column)}
    changed: Any = row
    return replace(changed, **given) if given else row
