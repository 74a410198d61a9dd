"""The streams of the process, which may be closed, full or left by their reader: nothing that is
said there decides how the work ends."""

import contextlib
import os
import sys
from pathlib import Path
from typing import IO

# the exit code of a verb that did its work and could not say so
UNWRITTEN = 74


def keep_open() -> None:
    """Give each of the three streams a place. First of all: a closed one leaves its number to the
    next file, which may be the connection to the database."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def tell(text: str, stream: IO[str] | None = None) -> None:
    """A line on stderr, or another stream; nothing where it cannot be written."""
    place = sys.stderr if stream is None else stream
    with contextlib.suppress(OSError, ValueError, AttributeError):
        place.write(f"{text}\n")
        place.flush()


def settle() -> None:
    """Before the end: what is left and cannot be written is dropped. Python would end with another
    exit code for it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
