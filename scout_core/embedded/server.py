"""Starting and stopping the server of a data folder."""

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import filelock
import psycopg2

from scout_core.embedded.account import TIMEOUT_SECONDS, Account, choose_account
from scout_core.embedded.binaries import find_binaries, program
from scout_core.embedded.cluster import make_cluster, remove_socket_folder, write_settings
from scout_core.embedded.connection import (
    DATABASE,
    MAINTENANCE_DATABASE,
    STOP_HINT,
    Server,
    answering,
    connect,
)
from scout_core.embedded.layout import Layout
from scout_core.embedded.process import clear_the_way, executable_folder, live_postmaster
from scout_core.errors import ServerError

ATTEMPTS = 3
READY_PATIENCE_SECONDS = 15.0


def start(data_dir: Path, *, options: Mapping[str, str] | None = None) -> Server:
    """The server of this data folder, started (and made) when it does not run yet.

    Any number of processes may ask at once: one starts it, all get the same. options are
    settings of PostgreSQL that hold when this call is the one that starts it.
    """
    layout = Layout.at(data_dir)
    running = answering(layout)
    if running is not None:
        return running
    with _locked(layout):
        return answering(layout) or _start_locked(layout, options or {})


def status(data_dir: Path) -> Server | None:
    """The server of this data folder; null when it does not run or does not answer yet."""
    return answering(Layout.at(data_dir))


def stop(data_dir: Path) -> bool:
    """Ends the server, its clients being cut off. False when none ran."""
    layout = Layout.at(data_dir)
    if live_postmaster(layout) is None:
        return False
    with _locked(layout):
        pid = live_postmaster(layout)
        written = layout.pid_file()
        if pid is None or written is None:
            return False
        if os.name == "nt":
            binaries = executable_folder(pid) or find_binaries(layout.data_dir)
            ask = ["stop", f"--pgdata={layout.cluster}", "--mode=fast", "--no-wait"]
            Account().run([program(binaries, "pg_ctl"), *ask])
        else:
            # A signal needs no programs, which may have gone with their virtual environment.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        for _ in _until(TIMEOUT_SECONDS):
            if live_postmaster(layout) is None:
                remove_socket_folder(written.host)
                return True
        raise ServerError(f"The server of {data_dir} (process {pid}) did not stop: try again.")


def _start_locked(layout: Layout, options: Mapping[str, str]) -> Server:
    for _ in range(ATTEMPTS):
        if live_postmaster(layout) is None:
            clear_the_way(layout)
        if live_postmaster(layout) is None:
            _launch(layout, options)
        server = _wait_for_answer(layout)
        if server is not None:
            _make_database(layout, server)
            return server
    raise ServerError(
        f"PostgreSQL starts and stops again in {layout.home}: "
        f"{_reason(layout) or 'no reason was logged'}. Look at {layout.cluster / 'log'}."
    )


def _launch(layout: Layout, options: Mapping[str, str]) -> None:
    binaries = find_binaries(layout.data_dir)
    account = choose_account(layout, binaries)
    if not layout.home.exists():
        make_cluster(layout, binaries, account)
    elif layout.cluster_version() is None or layout.password() is None:
        raise ServerError(
            f"{layout.home} is there but holds no complete PostgreSQL data: restore it from a "
            "backup, or move it away to start with an empty database."
        )
    last = layout.pid_file()
    remove_socket_folder(last.host if last else None)
    write_settings(layout, account, options)
    layout.startup_log.unlink(missing_ok=True)
    code, said = account.run(
        [
            program(binaries, "pg_ctl"),
            "start",
            "--silent",
            "--wait",
            f"--timeout={TIMEOUT_SECONDS}",
            f"--pgdata={layout.cluster}",
            f"--log={layout.startup_log}",
        ]
    )
    # Another pg_ctl, left by a process that was killed, may have been the first.
    if code != 0 and live_postmaster(layout) is None:
        raise ServerError(
            f"PostgreSQL did not start in {layout.home}: {_reason(layout) or said}. The log is "
            f"{layout.startup_log} and in {layout.cluster / 'log'}."
        )


def _reason(layout: Layout) -> str | None:
    """What the server that did not start said last: FATAL, and the line before that says why."""
    logs = sorted((layout.cluster / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
    for path in [layout.startup_log, *logs[-1:]]:
        with contextlib.suppress(OSError):
            said = [
                re.sub(r"^.*?\b[A-Z]+:\s+", "", line).strip().rstrip(".")
                for line in path.read_text(errors="replace").splitlines()
                if re.search(r"\b(LOG|FATAL|PANIC|ERROR):|could not|error", line)
            ]
            if said and "FATAL" in path.read_text(errors="replace"):
                return "; ".join(said[-2:])
    return None


def _wait_for_answer(layout: Layout) -> Server | None:
    """The server as soon as it lets us in, after recovery if need be; null when it went away."""
    ready_since: float | None = None
    for _ in _until(TIMEOUT_SECONDS):
        server = answering(layout, MAINTENANCE_DATABASE)
        if server is not None or live_postmaster(layout) is None:
            return server
        written = layout.pid_file()
        if written is None or not written.is_ready:
            continue
        # It takes callers, but not us: frozen, or its socket went with a folder that was moved.
        ready_since = ready_since or time.monotonic()
        if time.monotonic() > ready_since + READY_PATIENCE_SECONDS:
            break
    raise ServerError(
        f"The server of {layout.data_dir} (process {live_postmaster(layout)}) runs but does not "
        f"answer: {STOP_HINT}."
    )


def _make_database(layout: Layout, server: Server) -> None:
    """The application's database, when it is missing."""
    try:
        with contextlib.closing(connect(server, MAINTENANCE_DATABASE)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("select 1 from pg_database where datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f"create database {DATABASE} template template0")
    except psycopg2.Error as refused:
        said = " ".join(str(refused).split())
        raise ServerError(
            f"The server of {layout.data_dir} could not make its database {DATABASE}: {said}"
        ) from refused


@contextlib.contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    try:
        layout.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A file in the data folder, not in the temp folder: all users of the folder share it.
        lock = filelock.FileLock(layout.lock, timeout=TIMEOUT_SECONDS + 60, mode=0o600)
        with lock.acquire(poll_interval=0.02):
            yield
    except filelock.Timeout:
        raise ServerError(
            f"Another process has been starting or stopping the server of {layout.data_dir} for "
            f"{TIMEOUT_SECONDS // 60} minutes: end it and try again."
        ) from None
    except PermissionError as denied:
        raise layout.not_ours() from denied
    except OSError as wrong:
        raise ServerError(
            f"The data folder {layout.data_dir} cannot be used ({wrong.strerror or wrong}): free "
            "it, or set SCOUT_DATA_DIR to another."
        ) from wrong


def _until(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.05)
