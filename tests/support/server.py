"""One PostgreSQL for all tests, started by the product's own launcher.

It is shared by the workers of a session and by sessions that run at the same time; the last session
to end stops it. Its data are in memory where there is room, else in .data-test/, where locks are.
SCOUT_TEST_PG_BIN_DIR (or PG_BIN_DIR) names other binaries, e.g. /usr/lib/postgresql/15/bin.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import filelock
import psutil

from scout_core import embedded
from scout_core.embedded.binaries import major_version

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".data-test"
SESSIONS = FOLDER / "sessions"
# A clone is 700 files that are made and soon removed: 50 ms in memory, 100 to 900 ms on ext4, which
# looks for an inode that nobody has freed lately.
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - what we make there is ours alone (mode 0700)
MEMORY = SHARED_MEMORY / f"scout-test-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"
MEMORY_NEEDED = 3 * 1024**3
# A test never has to survive a power cut; each worker needs connections of its own.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "max_wal_size": "1GB",
    "autovacuum": "off",
}


def use_test_environment() -> None:
    """No setting of the developer reaches a test, above all no database."""
    other = os.environ.pop("SCOUT_TEST_PG_BIN_DIR", None)
    if other is not None:
        os.environ["PG_BIN_DIR"] = other
    for name in list(os.environ):
        if name.startswith(("SCOUT_", "DATABASE_URL")):
            del os.environ[name]


def start() -> embedded.Server:
    """The server of all tests; a data folder for each major version."""
    _make_folder()
    version = major_version(embedded.find_binaries(FOLDER))
    return embedded.start(_data_folder() / f"pg{version}", options=OPTIONS)


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """One process at a time, of all workers and sessions."""
    _make_folder()
    with filelock.FileLock(FOLDER / f"{name}.lock"):
        yield


def enter_session() -> None:
    """Says that this process needs the server until it leaves or dies."""
    with locked("sessions"):
        SESSIONS.mkdir(exist_ok=True)
        (SESSIONS / str(os.getpid())).touch()


def leave_session() -> None:
    """Stops the server when no other session needs it."""
    from tests.support import databases

    with locked("sessions"):
        (SESSIONS / str(os.getpid())).unlink(missing_ok=True)
        for path in SESSIONS.iterdir():
            if not psutil.pid_exists(int(path.name)):
                path.unlink()
        if any(SESSIONS.iterdir()):
            return
        for data_dir in _data_folder().glob("pg*"):
            server = embedded.status(data_dir)
            if server is not None:
                databases.drop_leftovers(server.url_of("postgres"))
            embedded.stop(data_dir)
        for lock in FOLDER.glob("scout_test_*.lock"):
            lock.unlink()
        shutil.rmtree(MEMORY, ignore_errors=True)


def _make_folder() -> None:
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")


def _data_folder() -> Path:
    """In memory once a session found room there. Nothing stays there after the last session."""
    if MEMORY.exists():
        return MEMORY
    if SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > MEMORY_NEEDED:
        MEMORY.mkdir(mode=0o700, exist_ok=True)
        return MEMORY
    return FOLDER
