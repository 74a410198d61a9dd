"""Run-now: the job in a thread of the server, which outlives the page or request that asked for it.

One request id is one run however often it is sent; whether another run is in progress is decided
by the lock in the database, not here.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from scout_core import logs
from scout_core.access.permissions import Actor
from scout_core.db.database import Database
from scout_core.errors import RunBusy, ScoutError
from scout_core.job.refresh import run_refresh
from scout_core.runs.record import RunResult, Trigger
from scout_core.settings import Settings

KEPT = 50
STEPS = ("others", "plan", "link", "propagate", "record", "seal")

_log = logs.get_logger("web")


@dataclass
class Job:
    """A run asked for here: how far it is, then how it ended. Written by its thread only.

    run_id null = not begun. answered: the run has its number, or will not begin.
    """

    request_id: str
    actor: Actor
    step: str = STEPS[0]
    done: int = 0
    total: int = 1
    run_id: int | None = None
    result: RunResult | None = None
    error: ScoutError | None = None
    answered: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def share(self) -> float:
        """How far the run is, 0..1, each step counting the same."""
        within = min(1.0, self.done / self.total) if self.total else 0.0
        return (STEPS.index(self.step) + within) / len(STEPS) if self.step in STEPS else 0.0

    @property
    def busy_run_id(self) -> int | None:
        """The run that was in the way; null = none."""
        return self.error.run_id if isinstance(self.error, RunBusy) else None


_jobs: OrderedDict[str, Job] = OrderedDict()
_lock = threading.Lock()


def start(
    db: Database,
    settings: Settings,
    *,
    actor: Actor,
    request_id: str,
    requested_at: datetime,
    trigger: Trigger = "manual",
    on_end: Callable[[], None] = lambda: None,
) -> Job:
    """Start a run, unless this request began one already; answers at once."""

    def work() -> None:
        try:
            job.result = run_refresh(
                db,
                settings,
                actor=actor,
                trigger=trigger,
                request_id=request_id,
                requested_at=requested_at,
                progress=progress,
                opened=opened,
            )
            job.run_id = job.result.run_id
        except ScoutError as exc:
            job.error = exc
        except Exception as exc:  # noqa: BLE001 - the thread's edge: kept for who asked, logged
            _log.error("run-now failed", error=type(exc).__name__, exc_info=exc)
            job.error = ScoutError()
        finally:
            on_end()
            job.answered.set()
            job.ended.set()

    def opened(run_id: int) -> None:
        job.run_id = run_id
        job.answered.set()

    def progress(step: str, done: int, total: int) -> None:
        job.step, job.done, job.total = step, done, total

    with _lock:
        known = _jobs.get(request_id)
        # one that was refused before it began did nothing: the same request may try again
        if known is not None and (known.run_id is not None or not known.ended.is_set()):
            return known
        job = _jobs[request_id] = Job(request_id, actor)
        while len(_jobs) > KEPT:
            _jobs.popitem(last=False)
    threading.Thread(target=work, name="run-now", daemon=False).start()
    return job


def by_request(request_id: str | None) -> Job | None:
    """The run of this request; null when this process knows none."""
    return _jobs.get(request_id) if request_id else None


def wait_for_all(seconds: float) -> None:
    """Wait until no run of this process is at work, so long at most."""
    give_up = time.monotonic() + seconds
    while (job := in_progress()) is not None and (left := give_up - time.monotonic()) > 0:
        job.ended.wait(left)


def in_progress() -> Job | None:
    """A run that this process works on now."""
    with _lock:
        return next((job for job in reversed(_jobs.values()) if not job.ended.is_set()), None)
