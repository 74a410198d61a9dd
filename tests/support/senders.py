"""Senders of messages in processes of their own, which tests kill.

Apprise takes seconds to load: one process has it and forks each sender from itself.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from multiprocessing.connection import Connection

from scout_core import logs
from scout_core.db.database import Database
from scout_core.notify import channels, outbox
from tests.support import job
from tests.support.worker import Worker, killer


class Senders:
    """The process that senders are forked from."""

    def __init__(self) -> None:
        self._host = Worker(_host)
        assert self._host.hears() == "ready"

    def start(
        self, url: str, now: datetime, *, kill_at: str | None = None, environ: Mapping[str, str]
    ) -> int:
        """A sender at work on what is due, which dies by its own hand at that point: its number."""
        self._host.pipe.send((url, now, kill_at, dict(environ)))
        pid: int = self._host.hears()
        return pid

    def ends(self, pid: int) -> int:
        """Wait for the end of a sender: the exit code, negative = the signal."""
        self._host.pipe.send(pid)
        code: int = self._host.hears()
        return code

    def close(self) -> None:
        """End the process; no sender is left."""
        self._host.kill()


def _host(pipe: Connection) -> None:
    channels.load()
    pipe.send("ready")
    while True:
        asked = pipe.recv()
        if isinstance(asked, int):
            pipe.send(os.waitstatus_to_exitcode(os.waitpid(asked, 0)[1]))
            continue
        pid = os.fork()
        if pid == 0:
            _send(*asked)
        pipe.send(pid)


def _send(url: str, now: datetime, kill_at: str | None, environ: dict[str, str]) -> None:
    code = 1
    try:
        logs.configure("CRITICAL")
        outbox.at = killer(kill_at)
        outbox.send_due(Database(url), job.settings(**environ), now)
        code = 0
    finally:
        os._exit(code)
