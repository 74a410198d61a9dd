"""Runs of the job in processes of their own, which tests kill.

A server process with the product loaded forks them, so that one starts in milliseconds.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from scout_core import logs
from scout_core.db.database import Database
from scout_core.errors import ScoutError
from scout_core.runs import runner
from tests.support import job

PATIENCE_SECONDS = 60
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.support.worker", "scout_core.job.refresh", "psycopg2"])


class Worker:
    """A process that does one thing and says how it ended."""

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        self.pipe, theirs = _forks.Pipe()
        self._process = _forks.Process(target=target, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def hears(self) -> Any:
        """The next thing that the process says; EOFError when it died."""
        assert self.pipe.poll(PATIENCE_SECONDS), "the process says nothing"
        return self.pipe.recv()

    def kill(self) -> None:
        """Kill -9, and wait until nothing is left of it."""
        self._process.kill()
        self.ends()

    def ends(self) -> int | None:
        """Wait for the end: the exit code, negative = the signal."""
        self._process.join(PATIENCE_SECONDS)
        return self._process.exitcode


def refreshing(
    url: str, *, kill_at: str | None = None, passes: int = 1, environ: Mapping[str, str] = {}
) -> Worker:
    """A worker that says "ready", then refreshes once it hears anything. With kill_at it kills
    itself with signal 9 when it comes to that point for the `passes`th time."""
    worker = Worker(_refresh, url, kill_at, passes, dict(environ))
    assert worker.hears() == "ready"
    return worker


def _refresh(
    pipe: Connection, url: str, kill_at: str | None, passes: int, environ: dict[str, str]
) -> None:
    logs.configure("ERROR")
    runner.at = killer(kill_at, passes)
    db = Database(url)
    pipe.send("ready")
    pipe.recv()
    try:
        result = job.refresh(db, environ=environ)
        pipe.send(("COMPLETED", result.run_id, ""))
    except ScoutError as exc:
        pipe.send((type(exc).__name__, exc.facts.get("run_id"), exc.message))


def killer(kill_at: str | None, passes: int = 1) -> Callable[[str], None]:
    """What kills this process with signal 9 when it comes to a point for the `passes`th time."""
    left = passes

    def at(point: str) -> None:
        nonlocal left
        if point == kill_at:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    return at
