"""The field for a reason or note: what is wrong with the text is said right below it."""

from typing import Any

import streamlit as st

from scout_core.access.note import NOTE_MAX, NOTE_MIN, checked_note
from scout_core.errors import BadInput, ScoutError
from ui.parts.text import number, refusal, t


def area(label: str, key: str, where: Any = st) -> str:
    """A field for a reason; once something is typed, the sentence that refuses it below."""
    note: str = where.text_area(label, max_chars=NOTE_MAX, key=key)
    tell(note, where)
    return note


def tell(note: str, where: Any = st) -> None:
    """The sentence that refuses this note; nothing for a good one, or where none is typed yet."""
    if not note:
        return
    try:
        checked_note(note)
    except BadInput as exc:
        where.caption(f":orange[:material/warning: {_sentence(exc)}]")


def why(exc: ScoutError, too_short: str) -> str:
    """Why a write was refused; too_short: the words for a reason of a wrong length."""
    if not isinstance(exc, BadInput) or exc.parameter not in ("note", "reason"):
        return refusal(exc)
    if exc.personal is None:
        return t(too_short, least=number(NOTE_MIN), most=number(NOTE_MAX))
    return _sentence(exc)


def _sentence(exc: BadInput) -> str:
    if exc.personal is None:
        return t("notes.short", least=number(NOTE_MIN), most=number(NOTE_MAX))
    return t(f"notes.personal_{exc.personal}")
