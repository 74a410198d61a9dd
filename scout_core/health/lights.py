"""The lights of the job and the sources: last run, scheduler alive, sources fresh.

Pure judges of what was read; the rules are those of docs/runbook, section 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scout_core.db.grounds import Trouble
from scout_core.db.row_security import Hidden
from scout_core.health.freshness import Source
from scout_core.health.states import Status, worst
from scout_core.settings import Settings

# Two machines never agree to the second: a time that is further ahead is one of a clock that was
# set, and no age can be told from it.
SKEW = timedelta(minutes=5)
LOST = "worker lost"
ENDED_BADLY = ("FAILED", "LOST")
GUARD = "guard: "
SCOUTS_LIST = "public.module_ct_scouts_list"
NO_SCOUT_KNOWN = (
    f"no number in {SCOUTS_LIST} can be read as a scout, so no scout is known and nobody gets one"
)


@dataclass(frozen=True)
class Reason:
    """One indicator or light: its state, the value, the threshold that decides, since when (UTC).

    since null = not known. text: one sentence in English; its ages grow while nothing changes, so
    that it does not count where two are compared.
    """

    indicator: str
    status: Status
    value: float | int | str | None
    threshold: str
    since: datetime | None
    text: str = field(compare=False)


@dataclass(frozen=True)
class LastRun:
    """A run of the refresh. completed_at and error null while it runs; times in UTC.

    trigger null = not written by this product.
    """

    run_id: int
    status: str
    started_at: datetime
    completed_at: datetime | None
    error: str | None
    trigger: str | None = None

    @property
    def is_lost(self) -> bool:
        """Whether its process died; a later start has closed it, or will."""
        return self.status == "LOST" or (self.status == "FAILED" and self.error == LOST)

    @property
    def is_failed(self) -> bool:
        """Whether it did not end well."""
        return self.status in ENDED_BADLY

    @property
    def is_stopped_by_guard(self) -> bool:
        """Whether it would have changed too much."""
        return self.status == "FAILED" and (self.error or "").startswith(GUARD)


def judge_runs(last_runs: Sequence[LastRun], settings: Settings, now: datetime) -> Reason:
    """State of the job from its last runs, newest first."""
    late = timedelta(minutes=settings.health_late_minutes)
    threshold = f"completed within {duration(late)}"
    running = next((r for r in last_runs if r.status == "RUNNING"), None)
    ended = newest_ended(last_runs)

    def told(
        status: Status, value: str | None, since: datetime | None, text: str, rule: str = threshold
    ) -> Reason:
        return Reason("last_run", status, value, rule, since, text)

    if ended is not None and ended.is_failed:
        why = LOST if ended.is_lost else ended.error or "no reason recorded"
        return told("FAIL", "FAILED", end_of(ended), f"run {ended.run_id} failed: {why}")
    dated = [(running, running.started_at)] if running else []
    dated += [(ended, end_of(ended))] if ended else []
    for run, at in dated:
        if at - now > SKEW:
            return told("UNKNOWN", run.status, None, f"run {run.run_id} {_to_come(at, now)}")
    if running and now - running.started_at > timedelta(minutes=settings.health_stuck_minutes):
        return told(
            "WARN",
            "RUNNING",
            running.started_at,
            f"run {running.run_id} has run for {duration(now - running.started_at)}",
            f"runs at most {settings.health_stuck_minutes} min",
        )
    if ended is None:
        if running is None:
            return told("UNKNOWN", None, None, "the job has never run")
        text = f"run {running.run_id} is the first and still running"
        return told("OK", "RUNNING", running.started_at, text)
    age = now - end_of(ended)
    said = f"run {ended.run_id} completed {duration(age)} ago"
    if age > late:
        return told("WARN", "COMPLETED", end_of(ended) + late, f"{said}: late")
    on_time = "" if age <= timedelta(hours=1) else ", on schedule"
    return told("OK", "COMPLETED", ended.completed_at, said + on_time)


def judge_begin(last_run: Reason, taken: str | None) -> Reason:
    """The same, or that no run can begin: `taken` is the sequence of the runs when it gives a
    number next that one has already."""
    if taken is None:
        return last_run
    text = (
        f"no run can begin: sequence {taken} gives a number that ops.ingestion_runs has already; "
        "`python -m scout_core doctor` gives the statement that sets it"
    )
    return Reason("last_run", "FAIL", "FAILED", last_run.threshold, last_run.since, text)


def judge_scheduler(last_runs: Sequence[LastRun], settings: Settings, now: datetime) -> Reason:
    """Whether the scheduler is alive, from the newest run that it started, however that ended."""
    silent = timedelta(minutes=settings.health_scheduler_minutes)
    beat = next((r for r in last_runs if r.trigger == "cron"), None)
    threshold = f"started a run within {duration(silent)}"

    def told(status: Status, value: str | None, since: datetime | None, text: str) -> Reason:
        return Reason("scheduler", status, value, threshold, since, text)

    if beat is None:
        return told("UNKNOWN", None, None, "the scheduler has never started a run")
    age = now - beat.started_at
    value = beat.started_at.isoformat(timespec="seconds")
    if -age > SKEW:
        text = f"run {beat.run_id} of the scheduler {_to_come(beat.started_at, now)}"
        return told("UNKNOWN", value, None, text)
    text = f"the scheduler started run {beat.run_id} {duration(age)} ago"
    if age > silent:
        return told("WARN", value, beat.started_at + silent, f"{text} and none since")
    return told("OK", value, None, text)


def judge_sources(
    sources: Sequence[Source],
    settings: Settings,
    now: datetime,
    troubles: Sequence[Hidden | Trouble] = (),
    *,
    no_scout_known: bool = False,
) -> Reason:
    """Whether the sources can be read whole and arrive: the worst of those that have rows. An empty
    one is no fault, as several are optional; counts that are old say nothing.

    no_scout_known: the list of scouts has entries and none can be read.
    """
    if troubles:
        return Reason(
            "sources",
            "FAIL",
            ", ".join(sorted({t.table_name for t in troubles})),
            "every row can be read",
            None,
            "; ".join(t.text for t in troubles),
        )
    if no_scout_known:
        return Reason("sources", "WARN", SCOUTS_LIST, "every row can be read", None, NO_SCOUT_KNOWN)
    late = timedelta(minutes=settings.health_late_minutes)
    threshold = (
        f"STALE after {_days(settings.health_sources_quiet_days)} without a row, WARN below "
        f"{settings.health_sources_low_pct:g} % of the usual"
    )

    def told(status: Status, value: str | None, text: str) -> Reason:
        return Reason("sources", status, value, threshold, None, text)

    if not sources:
        return told("UNKNOWN", None, "the sources were never counted")
    looked_at = min(source.looked_at for source in sources)
    if looked_at - now > SKEW:
        return told("UNKNOWN", None, f"the last count of the sources {_to_come(looked_at, now)}")
    if now - looked_at > late:
        age = duration(now - looked_at)
        return told("UNKNOWN", None, f"the sources were last counted {age} ago")
    arriving = [source for source in sources if source.status != "UNKNOWN"]
    if not arriving:
        return told("UNKNOWN", None, "no source has a row")
    bad = [source for source in arriving if source.status != "OK"]
    if not bad:
        return told("OK", None, f"{_sources(len(arriving))} as usual")
    return told(
        worst(source.status for source in bad),
        ", ".join(source.name for source in bad),
        "; ".join(said_of(source) for source in bad),
    )


def said_of(source: Source) -> str:
    """What is wrong with a source that is STALE or WARN."""
    if source.status == "STALE":
        return f"{source.name} has had no row on {_days(source.quiet_days)} in a row"
    return f"{source.name} had far fewer rows than usual on the last working day"


def newest_ended(last_runs: Sequence[LastRun]) -> LastRun | None:
    """The newest run that does not run any more; null = none."""
    return next((run for run in last_runs if run.status != "RUNNING"), None)


def end_of(run: LastRun) -> datetime:
    """When a run ended; a row of somebody else may lack it."""
    return run.completed_at or run.started_at


def duration(span: timedelta) -> str:
    """How long, in words."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"


def _to_come(at: datetime, now: datetime) -> str:
    return (
        f"is dated {duration(at - now)} from now: a clock was set, so its age cannot be told; "
        "check the time of this machine and of the database"
    )


def _days(count: int) -> str:
    return f"{count} working day{'' if count == 1 else 's'}"


def _sources(count: int) -> str:
    return f"{count} sources arrive" if count > 1 else "1 source arrives"
