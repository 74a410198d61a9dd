"""Install, remove, look: the right scheduler of this platform."""

import getpass
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values

from scout_core.schedule import cron, windows
from scout_core.schedule.clock import zone_name
from scout_core.schedule.job import log_path
from scout_core.settings import Settings, known_names


@dataclass(frozen=True)
class Entry:
    """The job on the scheduler of this machine.

    entry: the line of the crontab or the name of the task, null = not installed. zone: of the
    times of the schedule. not_seen: settings that only this console's environment holds, so that
    the scheduler's runs do not see them.
    """

    scheduler: Literal["cron", "Task Scheduler"]
    entry: str | None
    was_changed: bool
    zone: str
    log: Path
    not_seen: tuple[str, ...]


def install(settings: Settings, folder: Path, now: datetime) -> Entry:
    """Put the job of the program in `folder` on the scheduler; a second time changes nothing.

    now: aware, in the server's zone. Raises ScheduleError.
    """
    if sys.platform == "win32":
        was_there = windows.is_there()
        windows.register(folder, f"{os.environ['USERDOMAIN']}\\{getpass.getuser()}")
        return _entry(settings, folder, now, windows.TASK, not was_there)
    before = cron.read()
    line = cron.line(folder, Path(sys.executable))
    after = cron.with_line(before, line, folder)
    if after != before:
        cron.write(after)
    return _entry(settings, folder, now, line, after != before)


def remove(settings: Settings, folder: Path, now: datetime) -> Entry:
    """Take the job of the program in `folder` away again. Raises ScheduleError."""
    if sys.platform == "win32":
        was_there = windows.is_there()
        if was_there:
            windows.unregister()
        return _entry(settings, folder, now, None, was_there)
    before = cron.read()
    after = cron.without(before, folder)
    if after != before:
        cron.write(after)
    return _entry(settings, folder, now, None, after != before)


def look(settings: Settings, folder: Path, now: datetime) -> Entry:
    """What the scheduler has of the program in `folder`. Raises ScheduleError."""
    if sys.platform == "win32":
        return _entry(settings, folder, now, windows.TASK if windows.is_there() else None, False)
    return _entry(settings, folder, now, cron.find(cron.read(), folder), False)


def _entry(
    settings: Settings, folder: Path, now: datetime, entry: str | None, was_changed: bool
) -> Entry:
    return Entry(
        scheduler="Task Scheduler" if sys.platform == "win32" else "cron",
        entry=entry,
        was_changed=was_changed,
        zone=zone_name(now),
        log=log_path(settings, folder),
        not_seen=_only_here(folder),
    )


def _only_here(folder: Path) -> tuple[str, ...]:
    """Settings of this environment that the file beside the program does not hold."""
    kept = dotenv_values(folder / ".env")
    names = (*known_names(), "PG_BIN_DIR")
    return tuple(n for n in names if (given := os.environ.get(n)) and kept.get(n) != given)
