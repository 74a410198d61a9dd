"""Why somebody decides: the one list of reason codes, and what a note has to be."""

import unicodedata
from collections.abc import Mapping
from typing import Literal

from scout_core import personal
from scout_core.errors import BadInput

Outcome = Literal["ASSIGN", "NO_SCOUT", "REOPEN"]

OUTCOMES: tuple[Outcome, ...] = ("ASSIGN", "NO_SCOUT", "REOPEN")
# what may be given for each outcome; ASSIGN of a scout whom no evidence names wants a stronger one
REASON_CODES: Mapping[Outcome, tuple[str, ...]] = {
    "ASSIGN": (
        "FIRST_TO_REGISTER",
        "NEWEST_EVIDENCE",
        "STRONGER_SOURCE",
        "CONFIRMED_BY_PERSON",
        "CONFIRMED_BY_SCOUTS",
        "OTHER_EVIDENCE_WRONG",
        "DOCUMENT_SHOWN",
        "ORDERED_BY_SUPERVISOR",
        "OTHER",
    ),
    "NO_SCOUT": (
        "CAME_ALONE",
        "EVIDENCE_INVALID",
        "SAME_PERSON_TWICE",
        "ORDERED_BY_SUPERVISOR",
        "OTHER",
    ),
    "REOPEN": ("DECIDED_BY_MISTAKE", "NEW_INFORMATION", "ORDERED_BY_SUPERVISOR", "OTHER"),
}
STRONG_CODES = (
    "CONFIRMED_BY_PERSON",
    "CONFIRMED_BY_SCOUTS",
    "DOCUMENT_SHOWN",
    "ORDERED_BY_SUPERVISOR",
)
# what an undo writes; nobody gives it
UNDONE = "UNDONE"
NOTE_MIN, NOTE_MAX = 10, 1000


def checked_outcome(outcome: str) -> Outcome:
    """The outcome. BadInput when it is none."""
    for known in OUTCOMES:
        if outcome == known:
            return known
    raise BadInput(
        f"outcome must be one of {', '.join(OUTCOMES)}.",
        parameter="outcome",
        allowed=f"one of {', '.join(OUTCOMES)}",
    )


def checked_code(outcome: Outcome, reason_code: str) -> str:
    """The reason code. BadInput when it is none of this outcome."""
    allowed = REASON_CODES[outcome]
    if reason_code not in allowed:
        raise BadInput(
            f"reason_code of {outcome} must be one of {', '.join(allowed)}.",
            parameter="reason_code",
            allowed=f"one of {', '.join(allowed)} with {outcome}",
        )
    return reason_code


def checked_note(note: str | None, parameter: str = "note") -> str:
    """The note without invisible characters and blanks around it. BadInput unless it has 10 to
    1,000 visible characters and no phone, licence, document or e-mail address."""
    given = note or ""
    try:
        given.encode()
    except UnicodeEncodeError as exc:
        raise BadInput(
            f"{parameter} has characters that stand for nothing: type it anew.",
            parameter=parameter,
            allowed="text that can be kept",
        ) from exc
    if "\0" in given:
        raise BadInput(
            f"{parameter} has a NUL character: type it anew.",
            parameter=parameter,
            allowed="text that can be kept",
        )
    trimmed = personal.visible(given).strip()
    if not NOTE_MIN <= _length(trimmed) <= NOTE_MAX or len(trimmed) > NOTE_MAX:
        raise BadInput(
            f"{parameter} has {_length(trimmed):,} visible characters: give {NOTE_MIN} to "
            f"{NOTE_MAX:,} that say why, they are kept for good.",
            parameter=parameter,
            allowed=f"{NOTE_MIN} to {NOTE_MAX:,} characters that say why",
        )
    return without_personal(trimmed, parameter)


def optional_note(note: str | None, parameter: str = "reason") -> str | None:
    """As `checked_note`; null where nothing is given that could be seen."""
    return checked_note(note, parameter) if personal.visible(note or "").strip() else None


def without_personal(text: str, parameter: str) -> str:
    """The text. BadInput when it looks like it holds a phone, licence, document or e-mail
    address, which what is kept for good must not."""
    kind = personal.find_kind(text)
    if kind is None:
        return text
    raise BadInput(
        f"{parameter} looks like it holds {personal.WORDS[kind]}, and it is kept for good: leave "
        "that out and name the person by their key.",
        parameter=parameter,
        allowed=f"text without {personal.WORDS[kind]}: name the person by their key",
        personal=kind,
    )


def _length(text: str) -> int:
    """Characters that are seen: several blanks count as one, an accent as part of its letter."""
    words = " ".join(text.split())
    return sum(not unicodedata.category(char).startswith("M") for char in words)
