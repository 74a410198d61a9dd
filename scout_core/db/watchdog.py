"""The clock on connections: the driver waits for an answer for ever, and a network that swallows
everything gives none. What is over its time, or whose server is gone, is cut: its socket is shut,
so that the waiting thread gets an error and goes on.

A short transaction has a time as a whole. A long one (a run, a file, a settle) may take as long as
it wants while the server can be reached: that is tried now and then with a connection of its own.
"""

import os
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from scout_core import logs

PROBE_SECONDS = 10.0  # from one try to the next, and before the first
FAILED_PROBES = 3  # in a row, before a long transaction is given up
TICK = 0.25

# Words of the driver that say that nobody answers; any other refusal is an answer of the server.
_NOBODY = re.compile(r"timeout|timed out|refused|unreachable|no route|closed the connection|reset")
_log = logs.get_logger("database")


@dataclass(eq=False)
class Guard:
    """One connection under the clock until `end`."""

    fileno: Callable[[], int]
    deadline: float | None
    probe: Callable[[], None]
    # ends the statement at work, from another thread; null = it is never ended so
    cancel: Callable[[], None] | None = None
    failed: int = 0
    next_probe: float = 0.0
    is_probing: bool = False
    is_over: bool = False

    def end(self) -> None:
        """The transaction is over: from now on the connection is somebody else's."""
        with _clock.lock:
            self.is_over = True
            _clock.guards.discard(self)


@dataclass
class _Clock:
    lock: threading.Lock = field(default_factory=threading.Lock)
    guards: set[Guard] = field(default_factory=set)
    thread: threading.Thread | None = None
    process: int = 0


_clock = _Clock()


def guard(
    fileno: Callable[[], int],
    seconds: float | None,
    probe: Callable[[], None],
    cancel: Callable[[], None] | None = None,
) -> Guard:
    """Watch a connection. seconds: how long its transaction may take; null = while the server can
    be reached, which `probe` tries: it raises an error of the driver when it cannot. cancel: how
    `cancel_all` ends its statement."""
    now = time.monotonic()
    watched = Guard(fileno, None if seconds is None else now + seconds, probe, cancel)
    watched.next_probe = now + PROBE_SECONDS
    with _clock.lock:
        if _clock.process != os.getpid():  # a fork has the guards, but not the thread
            _clock.process, _clock.thread = os.getpid(), None
            _clock.guards.clear()
        _clock.guards.add(watched)
        if _clock.thread is None:
            _clock.thread = threading.Thread(target=_work, name="watch", daemon=True)
            _clock.thread.start()
    return watched


def cancel_all() -> None:
    """End the statements at work on every connection that may be ended so."""
    with _clock.lock:
        mine = list(_clock.guards) if _clock.process == os.getpid() else []
    for watched in mine:
        if watched.cancel is None or watched.is_over:
            continue
        try:
            watched.cancel()
        except Exception as exc:  # noqa: BLE001 - closed meanwhile, by whatever name
            _log.debug("statement not cancelled", error=type(exc).__name__)


def _work() -> None:
    while True:
        time.sleep(TICK)
        now = time.monotonic()
        with _clock.lock:
            late = [g for g in _clock.guards if g.deadline is not None and now >= g.deadline]
            for watched in late:
                _cut(watched, "over its time")
            due = [
                g
                for g in _clock.guards
                if g.deadline is None and not g.is_probing and now >= g.next_probe
            ]
            for watched in due:
                watched.is_probing = True
        for watched in due:
            threading.Thread(target=_probe, args=(watched,), name="probe", daemon=True).start()


def _probe(watched: Guard) -> None:
    failed = watched.failed + 1
    try:
        watched.probe()
        failed = 0
    except Exception as exc:  # noqa: BLE001 - whatever the driver raises: only its words tell
        if not _NOBODY.search(str(exc).lower()):
            failed = 0
    with _clock.lock:
        watched.failed, watched.is_probing = failed, False
        watched.next_probe = time.monotonic() + PROBE_SECONDS
        if failed >= FAILED_PROBES:
            _cut(watched, "server not reached")


def _cut(watched: Guard, why: str) -> None:
    """Shut the socket of a connection; called with the lock, so that it is still this one's."""
    _clock.guards.discard(watched)
    if watched.is_over:
        return
    try:
        with socket.fromfd(watched.fileno(), socket.AF_INET, socket.SOCK_STREAM) as copy:
            copy.shutdown(socket.SHUT_RDWR)
    except Exception as exc:  # noqa: BLE001 - closed meanwhile, by whatever name
        _log.info("connection not cut", error=type(exc).__name__)
        return
    _log.warning("connection cut", why=why)
