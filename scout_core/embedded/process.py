"""Whether a server lives, told by what runs, not by what a file says."""

import contextlib
import time
from pathlib import Path

import psutil

from scout_core.embedded.layout import Layout
from scout_core.errors import ServerError

ORPHAN_PATIENCE_SECONDS = 5.0


def live_postmaster(layout: Layout) -> int | None:
    """The pid in postmaster.pid, when it is a live postgres of our cluster; else null.

    A number that another program got since, or that a restart of the machine gave away, is not.
    """
    written = layout.pid_file()
    if written is None or not _serves(written.pid, layout.cluster):
        return None
    return written.pid


def clear_the_way(layout: Layout) -> None:
    """Makes a start after a crash possible; the lock must be held and no postmaster live.

    Server processes that outlived their postmaster still write to the shared memory: they must
    be gone first. A lock file is only removed when its number lives on as somebody else (a dead
    process that nobody fetched counts), which PostgreSQL would take for a running server;
    otherwise it checks more by itself than we could.
    """
    _end_orphans(layout)
    for path in (layout.pid_path, layout.socket_lock):
        written = layout.pid_file(path)
        if written and psutil.pid_exists(written.pid) and live_postmaster(layout) is None:
            path.unlink(missing_ok=True)


def executable_folder(pid: int) -> Path | None:
    """The bin folder that a live server was started from, where the system tells."""
    try:
        return Path(psutil.Process(pid).exe()).parent
    except (psutil.Error, OSError):
        return None


def _serves(pid: int, cluster: Path) -> bool:
    try:
        return pid > 0 and _is_of(psutil.Process(pid), cluster)
    except psutil.Error:
        return False


def _is_of(process: psutil.Process, cluster: Path) -> bool:
    """Every server process has the cluster as its working folder."""
    try:
        if not process.name().lower().startswith(("postgres", "postmaster")):
            return False
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return Path(process.cwd()).samefile(cluster)
    except (psutil.Error, OSError):
        return False


def _end_orphans(layout: Layout) -> None:
    """Waits for server processes without a postmaster, then ends them: none may commit now, and
    the start that follows recovers what was committed."""
    started = time.monotonic()
    while orphans := [one for one in psutil.process_iter() if _is_of(one, layout.cluster)]:
        if live_postmaster(layout) is not None:
            return
        waited = time.monotonic() - started
        if waited > 2 * ORPHAN_PATIENCE_SECONDS:
            pids = ", ".join(str(process.pid) for process in orphans)
            raise ServerError(
                f"The server of {layout.cluster} died, and its processes {pids} cannot be ended: "
                "end them, then start again."
            )
        if waited > ORPHAN_PATIENCE_SECONDS:
            for process in orphans:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        time.sleep(0.05)
