"""Run-now of the pages: the database of the process, and pages that are read anew after it."""

from datetime import datetime

from scout_core.access.permissions import Actor
from scout_core.job import run_now
from scout_core.job.run_now import STEPS, Job, by_request, in_progress
from ui.parts import read


def start(actor: Actor, request_id: str, requested_at: datetime) -> Job:
    """Start a run, unless this request started one already; answers at once."""
    return run_now.start(
        read.database(),
        read.settings(),
        actor=actor,
        request_id=request_id,
        requested_at=requested_at,
        on_end=read.forget,
    )


__all__ = ["STEPS", "Job", "by_request", "in_progress", "start"]
