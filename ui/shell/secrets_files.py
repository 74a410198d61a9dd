"""The files that say who signs in, looked at before the server starts: Streamlit takes one that it
cannot read for none, and then nobody would have to sign in."""

import codecs
import tomllib
from pathlib import Path

from streamlit import config

from scout_core import text_files
from scout_core.errors import SettingsError


def refuse_unreadable() -> None:
    """SettingsError for a file of secrets that is there and cannot be read."""
    for name in config.get_option("secrets.files"):
        path = Path(name)
        if not path.exists():
            continue
        try:
            _check(path)
        except (ValueError, OSError) as exc:
            why = (exc.strerror or type(exc).__name__) if isinstance(exc, OSError) else exc
            raise SettingsError(f"{path} cannot be used: {why}.") from exc


def _check(path: Path) -> None:
    files = [path] if path.is_file() else [found for found in path.rglob("*") if found.is_file()]
    for file in files:
        text = text_files.read(file)
        if file.read_bytes().startswith(codecs.BOM_UTF8):
            raise ValueError("it begins with a byte order mark: save it as UTF-8 without one")
        if file.suffix == ".toml":
            try:
                tomllib.loads(text)
            except tomllib.TOMLDecodeError as exc:
                # its words quote at most a key or a character, with the line
                raise ValueError(f"it is no TOML ({_place(exc)}): correct it") from None


def _place(exc: tomllib.TOMLDecodeError) -> str:
    said = str(exc)
    return said[said.rfind("(at ") + 1 :].rstrip(")") if "(at " in said else "see its last line"
