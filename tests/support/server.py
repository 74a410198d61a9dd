"""One PostgreSQL for all tests, started by the product's own launcher.

It lives in .data-test/ and is shared by the workers of a session and by sessions that run at the
same time; the last session to end stops it. SCOUT_TEST_PG_BIN_DIR (or PG_BIN_DIR) names other
binaries, e.g. /usr/lib/postgresql/15/bin.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import filelock
import psutil

from scout_core import postgres
from scout_core.postgres.binaries import major_version

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".data-test"
SESSIONS = FOLDER / "sessions"
# A test never has to survive a power cut; each worker needs connections of its own.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "max_wal_size": "4GB",
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


def start() -> postgres.Server:
    """The server of all tests; a data folder for each major version."""
    _make_folder()
    version = major_version(postgres.find_binaries(FOLDER))
    return postgres.start(FOLDER / f"pg{version}", options=OPTIONS)


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
        for data_dir in FOLDER.glob("pg*"):
            server = postgres.status(data_dir)
            if server is not None:
                databases.drop_leftovers(server.url_of("postgres"))
            postgres.stop(data_dir)
        for lock in FOLDER.glob("scout_test_*.lock"):
            lock.unlink()


def _make_folder() -> None:
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
