"""The real cron of this machine, with crontabs of its own that nobody else sees."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.server import ROOT

SPOOL = "/var/spool/cron"
# cron notices a change by the second of the folder's time: it is an old folder.
ENTER = f"""
mount -t tmpfs none {SPOOL} && mkdir -m 1730 {SPOOL}/crontabs && mount -t tmpfs none /run || exit 1
touch -d @1 {SPOOL}/crontabs
touch "$1"
exec sleep infinity
"""


@dataclass(frozen=True)
class Machine:
    """A view of this machine with empty crontabs and no cron running."""

    pid: int

    def run(self, *command: str, **how: object) -> subprocess.CompletedProcess[str]:
        """Run a command there, as the user of the tests."""
        return subprocess.run(
            self.inside(*command), capture_output=True, text=True, timeout=60, **how
        )

    def inside(self, *command: str) -> list[str]:
        """The command that runs this one there."""
        return ["nsenter", f"--mount=/proc/{self.pid}/ns/mnt", f"--wd={Path.cwd()}", *command]

    def crontab(self) -> str:
        """What `crontab -l` says; empty when it says that there is none."""
        told = self.run("crontab", "-l")
        assert told.returncode == 0 or "no crontab for" in told.stderr, told.stderr
        return told.stdout


@contextmanager
def machine(side: Path) -> Iterator[Machine]:
    """Such a view while the block lasts; skipped where the machine does not allow it."""
    for program in ("crontab", "unshare", "nsenter"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: apt-get install cron util-linux)")
    if os.geteuid() != 0:
        pytest.skip("only root may have crontabs apart from those of the machine")
    ready = side / "ready"
    holder = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", ENTER, "sh", str(ready)], stderr=subprocess.PIPE
    )
    try:
        while not ready.exists():
            if holder.poll() is not None:
                pytest.skip("this machine lets nobody mount, so no crontab can be kept apart")
            time.sleep(0.01)
        yield Machine(holder.pid)
    finally:
        holder.kill()
        holder.wait()
        assert holder.stderr is not None
        holder.stderr.close()


@contextmanager
def daemon(place: Machine) -> Iterator[None]:
    """Debian's cron reads the crontabs of this view while the block lasts."""
    process = subprocess.Popen(place.inside("cron", "-f", "-L", "15"))
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def program_in(folder: Path, database_url: str) -> Path:
    """The program in another folder, as if it had been installed there, for this database."""
    folder.mkdir(parents=True)
    for name in ("scout_core", "sql", "deploy"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())
    (folder / ".env").write_text(f"DATABASE_URL={database_url}\nSCOUT_GUARD_MAX_PCT=100\n")
    return folder
