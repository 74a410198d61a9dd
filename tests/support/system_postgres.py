"""The PostgreSQL of this machine's packages: built with TLS, and mostly of another major version
than the wheel's."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scout_core.embedded.binaries import OLDEST, SYSTEM_FOLDERS, has_programs, major_version

REQUIRED = "REQUIRE_SYSTEM_POSTGRES"


def find() -> Path:
    """Its bin folder, the newest. Without one the test is skipped, or fails where that is
    forbidden."""
    found = [
        (version, folder)
        for root, pattern in SYSTEM_FOLDERS
        for folder in Path(root).glob(pattern)
        if has_programs(folder) and (version := major_version(folder) or 0) >= OLDEST
    ]
    if not found:
        lack = "NO POSTGRESQL OF THE SYSTEM, NOTHING IS TRIED ON ONE: install postgresql."
        if os.environ.get(REQUIRED):
            pytest.fail(lack)
        pytest.skip(lack)
    return max(found)[1]


@contextlib.contextmanager
def chosen() -> Iterator[Path]:
    """A server that starts in this block runs from these programs."""
    folder, before = find(), os.environ.get("PG_BIN_DIR")
    os.environ["PG_BIN_DIR"] = str(folder)
    try:
        yield folder
    finally:
        if before is None:
            del os.environ["PG_BIN_DIR"]
        else:
            os.environ["PG_BIN_DIR"] = before
