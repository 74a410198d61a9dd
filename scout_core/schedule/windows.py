"""The task of the job in the Task Scheduler of Windows."""

import subprocess
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

from scout_core.errors import ScheduleError

TASK = "Scout Attribution Refresh"
TEMPLATE = Path("deploy") / "windows" / "scout_refresh.xml"
FOLDER, USER = r"C:\scouts", r"SERVER\scouts"  # what stands in the template


def definition(folder: Path, user: str) -> str:
    """The task for the program in `folder`, as XML, run as `user`: domain and name."""
    text = (folder / TEMPLATE).read_text(encoding="utf-8")
    return text.replace(FOLDER, escape(str(folder))).replace(USER, escape(user))


def is_there() -> bool:
    """Whether the task is registered."""
    return _schtasks("/Query", "/TN", TASK).returncode == 0


def register(folder: Path, user: str) -> None:
    """Put the task in place of any older one. Raises ScheduleError."""
    with tempfile.TemporaryDirectory() as side:
        path = Path(side) / "task.xml"
        # schtasks reads UTF-16 only, with the mark of its byte order
        path.write_text(
            definition(folder, user).replace('encoding="UTF-8"', 'encoding="UTF-16"'),
            encoding="utf-16",
        )
        _checked(_schtasks("/Create", "/TN", TASK, "/XML", str(path), "/F"))


def unregister() -> None:
    """Take the task away. Raises ScheduleError."""
    _checked(_schtasks("/Delete", "/TN", TASK, "/F"))


def _schtasks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - no shell; part of Windows
        ["schtasks.exe", *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )


def _checked(told: subprocess.CompletedProcess[str]) -> None:
    if told.returncode != 0:
        why = " ".join(told.stderr.split()) or "no reason given"
        raise ScheduleError(
            f"The Task Scheduler refused ({why}): run this in a console opened as administrator."
        )
