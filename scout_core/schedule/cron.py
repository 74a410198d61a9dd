"""The line of the job in the crontab of whoever runs this; every other line stays as it is."""

import shlex
import shutil
import subprocess
from pathlib import Path

from scout_core.errors import ScheduleError
from scout_core.schedule.clock import EVERY_HOURS

MARK = "# scout-attribution"


def line(folder: Path, python: Path) -> str:
    """The line for the program in `folder` with that interpreter. Raises ScheduleError."""
    if "\n" in f"{folder}{python}":
        raise ScheduleError(
            "The path of the program holds a line break, which no crontab can: move it elsewhere."
        )
    told = python.relative_to(folder) if python.is_relative_to(folder) else python
    command = (
        f"cd {shlex.quote(str(folder))} && {shlex.quote(str(told))} -m scout_core schedule run"
    )
    # In a crontab a percent sign ends the command, also between quotes.
    escaped = command.replace("%", r"\%")
    return f"0 */{EVERY_HOURS} * * * {escaped} {MARK}"


def find(crontab: str, folder: Path) -> str | None:
    """The line of the program in `folder`, or None. Another folder's line is another program's."""
    return next((x for x in crontab.splitlines() if _is_of(x, folder)), None)


def with_line(crontab: str, entry: str, folder: Path) -> str:
    """The crontab with this line for `folder`: in the place of an older one, else at the end."""
    kept: list[str] = []
    is_there = False
    for existing in crontab.splitlines(keepends=True):
        if not _is_of(existing, folder):
            kept.append(existing)
        elif not is_there:
            kept.append(f"{entry}\n")
            is_there = True
    if not is_there:
        if kept and not kept[-1].endswith("\n"):
            kept[-1] += "\n"
        kept.append(f"{entry}\n")
    return "".join(kept)


def without(crontab: str, folder: Path) -> str:
    """The crontab without the line of the program in `folder`."""
    return "".join(x for x in crontab.splitlines(keepends=True) if not _is_of(x, folder))


def read() -> str:
    """The crontab of this user; empty when there is none. Raises ScheduleError."""
    told = _crontab("-l")
    if told.returncode == 0:
        return _text(told.stdout)
    if "no crontab for" in _text(told.stderr):
        return ""
    raise _refusal(told)


def write(crontab: str) -> None:
    """Make it the crontab of this user; an empty one is taken away. Raises ScheduleError."""
    told = _crontab("-", given=crontab) if crontab else _crontab("-r")
    if told.returncode != 0:
        raise _refusal(told)


def _is_of(existing: str, folder: Path) -> bool:
    quoted = shlex.quote(str(folder)).replace("%", r"\%")
    return existing.rstrip().endswith(MARK) and f" cd {quoted} && " in existing


def _crontab(*arguments: str, given: str = "") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("crontab")
    if program is None:
        raise ScheduleError(
            "There is no cron on this machine (crontab was not found): install it (Debian: "
            "apt-get install cron) or use systemd, deploy/systemd/setup_timer.sh."
        )
    return subprocess.run(  # noqa: S603 - the program that was found, no shell
        [program, *arguments],
        input=given.encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
    )


def _text(data: bytes) -> str:
    # Lines of others may be in any encoding; they are written back byte for byte.
    return data.decode("utf-8", "surrogateescape")


def _refusal(told: subprocess.CompletedProcess[bytes]) -> ScheduleError:
    why = " ".join(told.stderr.decode("utf-8", "replace").split()) or "no reason given"
    return ScheduleError(
        f"crontab refused ({why}): ask the administrator whether this user may have a crontab."
    )
