"""Text that a spreadsheet takes for what it is: text.

A spreadsheet that opens a CSV file runs what looks like a formula and changes what looks like a
number or a date. `neutralise` puts an apostrophe before such text, `restore` takes it away again:
what was written comes back, whatever it was.
"""

import re
import unicodedata

MARK = "'"
NAME_LENGTH = 80

# What starts a formula or a command in some spreadsheet; full-width and small forms fold to these.
_STARTS = frozenset("=+-@|%\t\r\n")
_NUMBER = re.compile(
    r"[\d.,]+(?:e[+-]?\d+)?|\d{1,4}(?:[-/.:]\d{1,4}){1,2}", re.ASCII | re.IGNORECASE
)


def neutralise(text: str) -> str:
    """The text with an apostrophe before it when a spreadsheet would not take it for text."""
    return MARK + text if _is_taken_for_more(text) else text


def restore(text: str) -> str:
    """What `neutralise` was given."""
    return text[1:] if text.startswith(MARK) else text


def clean(text: str) -> str:
    """The text without characters that are not seen but change how others are shown, or that no
    file holds: directions, joiners, controls but tab and line ends."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\t\r\n" or unicodedata.category(c) not in _UNSEEN)


def clean_name(name: str) -> str:
    """A name without unseen characters; of one longer than 80, the first 79 and an ellipsis."""
    cleaned = clean(name)
    return cleaned if len(cleaned) <= NAME_LENGTH else f"{cleaned[: NAME_LENGTH - 1]}…"


_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))


def _is_taken_for_more(text: str) -> bool:
    first = text[:1]
    if first.isascii() and first.isalnum():
        return first.isdigit() and _NUMBER.fullmatch(text.strip()) is not None
    if first == MARK:
        return True
    for char in text:
        if unicodedata.normalize("NFKC", char)[:1] in _STARTS or char in _STARTS:
            return True
        if not (char.isspace() or unicodedata.category(char) in _UNSEEN):
            break
    return _NUMBER.fullmatch(text.strip()) is not None
