"""Files that people write by hand, read as UTF-8 text whatever their editor made of them."""

import codecs
from pathlib import Path

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read(path: Path) -> str:
    """The text of a file, without a byte order mark. ValueError with the reason, in words, for one
    that is not UTF-8; OSError for one that cannot be read."""
    data = path.read_bytes()
    if data.startswith(_UTF_16) or b"\0" in data:
        raise ValueError("it is not UTF-8 text but UTF-16 or no text: save it as UTF-8")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise ValueError(
            f"it is not UTF-8 text, line {line} has a letter in another encoding: save it as UTF-8"
        ) from None
