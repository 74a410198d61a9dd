"""Stopping in good order: a run that is asked to end finishes its batch or rolls it back, and says
FAILED (stopped) in the database, before the process is gone.

A statement may take minutes, and Python hears of a signal only when it has ended: so who asks has
the statements cancelled that are at work, until the process ends.
"""

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType

from scout_core.db import watchdog
from scout_core.errors import Stopped

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT") if hasattr(signal, name))
AGAIN_SECONDS = 1.0
# a signal may come while it is held: its handler runs in the thread that holds it
_lock = threading.RLock()


class _Asked:
    """Whether somebody asked this process to end, and by what."""

    why: str | None = None
    number: int | None = None
    is_heeded = False
    heard = 0


def ask(why: str, number: int | None = None) -> None:
    """Let every run of this process end soon. number: of the signal."""
    with _lock:
        is_first = _Asked.why is None
        if is_first:
            _Asked.why, _Asked.number = why, number
    if is_first:
        threading.Thread(target=_cancel, name="stopping", daemon=True).start()


def is_asked() -> bool:
    """Whether this process is to end."""
    return _Asked.why is not None


def why() -> str:
    """What asked this process to end."""
    return _Asked.why or ""


def check() -> None:
    """Stopped when this process is to end; for places where work may be left."""
    if _Asked.why is not None:
        raise Stopped(
            f"Stopped ({_Asked.why}): what was not committed was rolled back.",
            why=_Asked.why,
            signal_number=_Asked.number,
        )


def forget() -> None:
    """Nobody asked, after all: for a process that goes on."""
    _Asked.why = _Asked.number = None
    _Asked.heard = 0


@contextlib.contextmanager
def heeded() -> Iterator[None]:
    """While the block works, SIGTERM and SIGINT ask for an end in good order; a second one ends the
    process at once. Whatever error the block then ends with is Stopped. In a thread that gets no
    signals, only that."""
    with _listening() if _may_listen() else contextlib.nullcontext():
        try:
            yield
        except Stopped:
            raise
        except Exception:
            check()
            raise


def _may_listen() -> bool:
    return threading.current_thread() is threading.main_thread() and not _Asked.is_heeded


@contextlib.contextmanager
def _listening() -> Iterator[None]:
    heard, told = socket.socketpair()
    told.setblocking(False)
    # one that is ignored (nohup) stays so
    mine = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _again) for number in mine}
    descriptor = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    listener = threading.Thread(target=_listen, args=(heard,), name="signals", daemon=True)
    listener.start()
    _Asked.is_heeded = True
    try:
        yield
    finally:
        _Asked.is_heeded = False
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        told.close()
        listener.join()
        heard.close()


def _listen(heard: socket.socket) -> None:
    """Ask as soon as a signal comes, whatever the main thread waits for."""
    while data := heard.recv(16):
        for number in data:
            if number in SIGNALS:
                ask(signal.Signals(number).name, number)


def _again(number: int, _frame: FrameType | None) -> None:
    """The main thread hears of each signal too. The second one ends the process at once."""
    _Asked.heard += 1
    if _Asked.heard > 1:
        at_once = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, at_once)
        signal.raise_signal(number)
    ask(signal.Signals(number).name, number)


def _cancel() -> None:
    pause = threading.Event()
    while is_asked():
        watchdog.cancel_all()
        pause.wait(AGAIN_SECONDS)
