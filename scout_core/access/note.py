"""What a note or reason has to be, before it is kept for good."""

import unicodedata

from scout_core import personal
from scout_core.errors import BadInput

NOTE_MIN, NOTE_MAX = 10, 1000


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
