"""One scheduled run: the refresh in a process of its own, its output in a log that rotates, and
an end when it takes too long. And the same again and again, for containers."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

from scout_core import logs
from scout_core.errors import ScheduleError
from scout_core.schedule.clock import next_time
from scout_core.settings import Settings
from scout_core.streams import UNWRITTEN

TIMED_OUT = 124  # as timeout(1) says it
STOPPED = 143  # by a signal
GRACE_SECONDS = 30.0
LOG_MAX_BYTES = 5_000_000
LOG_KEPT = 4  # older files beside the newest
LOOK_SECONDS = 30.0  # a clock that was set, or a machine that slept, is noticed within this time
COMMAND = ("-m", "scout_core", "refresh", "--trigger", "cron", "--json")

_log = logs.get_logger("schedule")


@dataclass(frozen=True)
class Ended:
    """How a scheduled run ended: the exit code of the refresh, or TIMED_OUT.

    log: where its output is; null = it went where this process's own goes.
    """

    exit_code: int
    seconds: float
    log: Path | None


def log_path(settings: Settings, folder: Path) -> Path:
    """Where scheduled runs write what they say. A relative data folder is below `folder`."""
    return folder / settings.data_dir.expanduser() / "log" / "refresh.log"


def run(
    settings: Settings,
    folder: Path,
    *,
    limit: timedelta | None = None,
    has_log: bool = True,
    command: tuple[str, ...] = COMMAND,
) -> Ended:
    """Run the refresh once as the scheduler does; `limit` null = SCOUT_RUN_LIMIT_MINUTES.

    After the limit the process is asked to end and, half a minute later, killed; the database
    takes back what it had not committed, and the next run closes it as FAILED. has_log false:
    its output goes where this process's own goes. command: the arguments of the interpreter.
    Raises ScheduleError when the log cannot be written.
    """
    limit = timedelta(minutes=settings.run_limit_minutes) if limit is None else limit
    log = log_path(settings, folder) if has_log else None
    began = time.monotonic()
    with _opened(log) as out:
        process = subprocess.Popen(  # noqa: S603 - this interpreter, no shell
            [sys.executable, *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=None if out is None else subprocess.STDOUT,
            # a group of its own, so that whatever it started can be ended with it
            start_new_session=True,
        )
        with _stopped_with(process):
            try:
                code = process.wait(limit.total_seconds())
            except subprocess.TimeoutExpired:
                _end(process)
                code = TIMED_OUT
    seconds = round(time.monotonic() - began, 1)
    # a process that a signal ended has its negative number
    code = 128 - code if code < 0 else code
    if log is not None and code == UNWRITTEN:
        code = 0  # what it had to say was for the log
    if log is not None:
        _append(log, "scheduled run ended", exit_code=code, seconds=seconds)
    return Ended(code, seconds, log)


def keep(
    settings: Settings,
    folder: Path,
    *,
    now: Callable[[], datetime],
    wait: Callable[[float], object] = time.sleep,
    command: tuple[str, ...] = COMMAND,
) -> Iterator[Ended]:
    """Each run at its time, for ever, output where this process's own goes.

    A time that passes while a run lasts is left out; a clock that is set meanwhile is followed.
    now: the present time, aware, in the zone of the schedule.
    """
    told = None
    moment = now()
    while True:
        due = next_time(moment)
        if due != told:
            _log.info("next scheduled run", due=due.isoformat())
            told = due
        wait(min(due.timestamp() - moment.timestamp(), LOOK_SECONDS))
        moment = now()
        if moment.timestamp() >= due.timestamp():
            yield run(settings, folder, has_log=False, command=command)
            moment = now()


@contextlib.contextmanager
def _opened(log: Path | None) -> Iterator[int | None]:
    """The log, rotated before this run when it is large: nobody writes to a file that is moved."""
    if log is None:
        yield None
        return
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size >= LOG_MAX_BYTES:
            for number in range(LOG_KEPT - 1, 0, -1):
                older = log.with_name(f"{log.name}.{number}")
                if older.exists():
                    older.replace(log.with_name(f"{log.name}.{number + 1}"))
            log.replace(log.with_name(f"{log.name}.1"))
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as exc:
        raise ScheduleError(
            f"The log {log} cannot be written ({exc.strerror}), so nothing was run: let this user "
            "write there or set SCOUT_DATA_DIR."
        ) from exc
    try:
        yield out
    finally:
        os.close(out)


def _append(log: Path, event: str, **facts: object) -> None:
    line = {**facts, "topic": "schedule", "event": event, "timestamp": datetime.now(UTC)}
    # a disk that is full now must not hide how the run ended
    with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line, default=datetime.isoformat) + "\n")


@contextlib.contextmanager
def _stopped_with(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whoever stops this process stops the run."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        _end(process)
        sys.exit(STOPPED)

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread, which alone may be told
        yield
        return
    try:
        yield
    except KeyboardInterrupt:
        _end(process)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started: asked first, then killed."""
    if sys.platform == "win32":
        process.kill()
        process.wait()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    # also what a process that ended well has left behind
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
