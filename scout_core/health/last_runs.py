"""How the job is doing: the run in progress with its step, the last one, the scheduler's beat."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from scout_core.db import sql
from scout_core.health.lights import ENDED_BADLY, LastRun, judge_scheduler
from scout_core.health.states import Status
from scout_core.schedule.clock import EVERY_HOURS
from scout_core.settings import Settings

EVERY = timedelta(hours=EVERY_HOURS)


@dataclass(frozen=True)
class JobRun:
    """A run of the refresh. completed_at and error null while it runs; changed_rows null = unknown.

    status LOST: its row says RUNNING, but nobody works on it; the next start closes it. step is the
    last one that the running job finished. Times in UTC.
    """

    run_id: int
    status: str
    trigger: str | None
    actor: str | None
    started_at: datetime
    completed_at: datetime | None
    changed_rows: int | None
    error: str | None
    step: str | None

    @property
    def is_failed(self) -> bool:
        """Whether it did not end well, or its process is gone."""
        return self.status in ENDED_BADLY


@dataclass(frozen=True)
class Pulse:
    """The job at one instant: running and last (ended) run, last run that the scheduler started.

    last_completed: the newest that ended well, by anybody. is_read_only: a standby, or a database
    that takes no writes, where no run can start.
    """

    running: JobRun | None
    last: JobRun | None
    last_completed: JobRun | None
    last_scheduled: JobRun | None
    is_read_only: bool = False

    @property
    def next_at(self) -> datetime | None:
        """When the scheduler's next run is due; null when it never started one."""
        if self.last_scheduled is None:
            return None
        return self.last_scheduled.started_at + EVERY

    def scheduler_state(self, settings: Settings, now: datetime) -> Status:
        """Whether the scheduler is alive, by the same rule as the light of the health."""
        beat = self.last_scheduled
        runs = (
            [LastRun(beat.run_id, beat.status, beat.started_at, beat.completed_at, None, "cron")]
            if beat
            else []
        )
        return judge_scheduler(runs, settings, now).status


def take(conn: Connection) -> Pulse:
    """The job now. Reads scout.v_runs and ops.job_runs_audit."""
    rows = {
        row["place"]: _run(row)
        for row in conn.execute(sql.query("health/last_runs", "take")).mappings()
    }
    return Pulse(
        rows.get("running"),
        rows.get("last"),
        rows.get("completed"),
        rows.get("scheduled"),
        conn.execute(sql.query("health/last_runs", "is_read_only")).scalar_one(),
    )


def list_last(conn: Connection, *, limit: int) -> list[JobRun]:
    """The newest runs of the refresh, newest first."""
    rows = conn.execute(sql.query("health/last_runs", "list_last"), {"row_limit": limit}).mappings()
    return [_run(row) for row in rows]


def _run(row: Any) -> JobRun:
    return JobRun(**{name: row[name] for name in JobRun.__dataclass_fields__})
