"""Words, numbers and times in the language of the screen, and text that stays text.

t("health.pause")           the words of ui/words/health.py in the language of the visitor
number(2033), money(1250)   2,033 · S/ 1,250; nothing known is a dash, never 0
"""

import importlib
import pkgutil
import re
import threading
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import streamlit as st
from babel import Locale, dates
from babel.numbers import parse_pattern

from scout_core.errors import CannotBeKept, ScoutError

Language = Literal["es", "en"]
LANGUAGES: tuple[Language, ...] = ("es", "en")
LIMA = ZoneInfo("America/Lima")
NOTHING = "—"
NBSP = "\u00a0"
LIMIT = 80

# What Streamlit's markdown reads: emphasis, links, code, colours and icons (:), math ($), html (<)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$&@=])")
# what it makes a link of without any sign of a link, escaped or not
_ADDRESS = re.compile(r"(?:\b(?:https?|ftp|mailto|xmpp)(?=:)|www(?=\.)|@)", re.IGNORECASE)
WORD_JOINER = "\u2060"  # drawn as nothing
_LOCALES = {"es": "es_PE", "en": "en_US"}


_spoken = threading.local()


def language() -> Language:
    """The language of the visitor whose script this thread runs; Spanish until they choose."""
    found: Language | None = getattr(_spoken, "language", None)
    return found or speak()


def speak() -> Language:
    """Take the visitor's language from the session. First call of each run of a script or
    fragment: asked for each word the session would cost more than the words."""
    chosen: Language = "en" if st.session_state.get("language") == "en" else "es"
    _spoken.language = chosen
    return chosen


def t(key: str, /, **values: object) -> str:
    """The words under `<file>.<name>` in the visitor's language, with {values} filled in.

    Values are put in as they are: escape text of the database with `plain` where markdown is read.
    """
    words = catalogue()[key][LANGUAGES.index(language())]
    return words.format(**values) if values else words


def counted(key: str, count: int, /, **values: object) -> str:
    """The words under `<key>_one` for one, else under `<key>`, with {count} written as a number."""
    return t(f"{key}_one" if count == 1 else key, count=number(count), **values)


@cache
def catalogue() -> dict[str, tuple[str, str]]:
    """Every word of the screens: `<file>.<name>` -> (Spanish, English). Reads ui/words/*.py."""
    from ui import words

    found: dict[str, tuple[str, str]] = {}
    for module in pkgutil.iter_modules(words.__path__):
        entries = importlib.import_module(f"ui.words.{module.name}").WORDS
        found |= {f"{module.name}.{name}": pair for name, pair in entries.items()}
    return found


def plain(value: object) -> str:
    """Text of the database, cleaned and escaped, for where Streamlit reads markdown. Addresses of
    the web and of mail are no links: a character that is drawn as nothing stands in them."""
    broken = _ADDRESS.sub(rf"\g<0>{WORD_JOINER}", clean(value))
    return _MARKDOWN.sub(r"\\\1", broken)


def refusal(exc: ScoutError) -> str:
    """Why the library refused, for where Streamlit reads markdown."""
    if isinstance(exc, CannotBeKept):
        code = f"U+{ord(exc.character):04X}"
        letter = plain(exc.character)
        return t("common.cannot_be_kept", letter=letter, code=code, encoding=plain(exc.encoding))
    return plain(exc.message)


def clean(value: object, limit: int = LIMIT) -> str:
    """Text without characters that only steer its display, on one line, cut at `limit`."""
    return _cleaned(str(value)[: limit * 8], limit)


@lru_cache(maxsize=8192)
def _cleaned(text: str, limit: int) -> str:
    shown = "".join(
        " " if c.isspace() else c
        for c in text
        if unicodedata.category(c) not in {"Cf", "Cs", "Co", "Cn"}
        and (c.isprintable() or c.isspace())
    ).strip()
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def number(value: float | Decimal | None, digits: int = 0) -> str:
    """2,033, in both languages; null is a dash."""
    if value is None:
        return NOTHING
    return _number(_decimal_of(value, digits), digits, language())


def percent(value: float | Decimal | None, digits: int = 1) -> str:
    """73.4 %, of a value 0..100."""
    return NOTHING if value is None else f"{number(value, digits)}{NBSP}%"


def points(value: float | Decimal | None, digits: int = 1) -> str:
    """+0.6 pp: a difference of percentages."""
    return NOTHING if value is None else f"{signed(value, digits)}{NBSP}pp"


def signed(value: float | Decimal | None, digits: int = 0) -> str:
    """+12, 0 or -3."""
    if value is None:
        return NOTHING
    return ("+" if _decimal_of(value, digits) > 0 else "") + number(value, digits)


def money(value: float | Decimal | None, *, cents: bool = False) -> str:
    """S/ 1,250: soles, without cents unless asked for."""
    if value is None:
        return NOTHING
    digits = 2 if cents else 0
    exact = _decimal_of(value, digits)
    return f"{'-' if exact < 0 else ''}S/{NBSP}{number(abs(exact), digits)}"


def moment(at: datetime | None, *, seconds: bool = False) -> str:
    """A short day with its hour, 22 nov 06:40, Lima time."""
    if at is None:
        return NOTHING
    local = at.astimezone(LIMA)
    clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    return f"{short_day(local.date())} {clock}"


def clock(at: datetime | None) -> str:
    """06:40, Lima time."""
    return NOTHING if at is None else f"{at.astimezone(LIMA):%H:%M}"


def short_day(day: date | None) -> str:
    """22 nov, or Nov 22 in English."""
    if day is None:
        return NOTHING
    month = _months(language())[day.month]
    return f"{day.day} {month}" if language() == "es" else f"{month} {day.day}"


def full_day(day: date | None) -> str:
    """22/11/2026, or Nov 22, 2026 in English."""
    if day is None:
        return NOTHING
    if language() == "es":
        return f"{day:%d/%m/%Y}"
    return f"{short_day(day)}, {day.year}"


def span(start: date, end: date) -> str:
    """01/10/2026 – 22/11/2026."""
    return f"{full_day(start)} – {full_day(end)}"


def duration(length: timedelta | float | Decimal | None) -> str:
    """38 s, 5 min, 2 h 40 min, 3 d; a number is seconds."""
    if length is None:
        return NOTHING
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if seconds < 10:
        return f"{number(max(seconds, 0), 1)}{NBSP}s"
    if seconds < 100:
        return f"{seconds:.0f}{NBSP}s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes}{NBSP}min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}{NBSP}h {minutes}{NBSP}min" if minutes else f"{hours}{NBSP}h"
    return f"{number(hours // 24)}{NBSP}d"


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago: hace 2 h 40 min, or 2 h 40 min ago in English."""
    if at is None:
        return NOTHING
    length = now - at
    if length < timedelta(minutes=1):
        return t("common.just_now")
    return t("common.ago", span=duration(length))


def joined(parts: Iterable[str]) -> str:
    """A, B, C without those that are empty."""
    return ", ".join(part for part in parts if part)


def warm() -> None:
    """Load the words and both locales, so that no visitor waits for them."""
    catalogue()
    for code in LANGUAGES:
        _months(code)
        _number(Decimal(1), 0, code)


@lru_cache(maxsize=4096)
def _number(value: Decimal, digits: int, code: Language) -> str:
    return str(_decimal(digits).apply(value, _parsed(code)))


@cache
def _parsed(code: Language) -> Locale:
    return Locale.parse(_LOCALES[code])


@cache
def _decimal(digits: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - babel has no type for it
    return parse_pattern("#,##0" + ("." + "0" * digits if digits else ""))


@lru_cache(maxsize=4096)
def _decimal_of(value: float | Decimal, digits: int) -> Decimal:
    return round(Decimal(str(value)), digits)


@cache
def _months(code: Language) -> dict[int, str]:
    names = dates.get_month_names("abbreviated", locale=_parsed(code))
    return {month: name.rstrip(".") for month, name in names.items()}
