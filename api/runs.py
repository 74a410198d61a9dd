"""Routes of runs: the job now, what it would do, what runs did, and run it now."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api import models, services
from api.access import Reading, may
from api.lists import filters_of, read_list
from api.reading import Read
from api.services import Served
from api.writing import Key, Limits
from scout_core.access.permissions import Actor
from scout_core.db.database import Profile
from scout_core.health import last_runs
from scout_core.job import refresh, run_now
from scout_core.lists import filters
from scout_core.runs import history

router = APIRouter(prefix="/scouts/attribution", tags=["runs"])

# reads what the job reads, as the plan of the pages does, within the patience of a request
PLAN = Profile(
    "api plan",
    "scout_writer",
    2_000,
    5_000,
    is_read_only=True,
    is_snapshot=True,
    is_exact=True,
    wall_seconds=8,
)
BEGIN_SECONDS = 8.0
STARTS, PER_SECONDS = 6, 60.0
starts = Limits(STARTS, PER_SECONDS)


@router.get("/job-status", summary="The job now")
def job_status(_: Reading, read: Read, served: Served) -> models.JobStatus:
    """The run in progress, the last ones, when the next one is due."""
    beat = read.run(last_runs.take)
    found = {
        name: None if run is None else models.JobRun.model_validate(run)
        for name in ("running", "last", "last_completed", "last_scheduled")
        for run in [getattr(beat, name)]
    }
    state = beat.scheduler_state(served.settings(), services.now())
    return models.JobStatus(**found, next_at=beat.next_at, scheduler_status=state)


@router.get("/runs", summary="Runs there were")
def list_runs(_: Reading, read: Read, asked: Annotated[models.RunQuestion, Query()]) -> models.Runs:
    """Runs of every kind: refresh, undo, decision, review."""
    given = filters_of(history.RunFilters, asked)
    listing = partial(history.list_runs, given=given, sort=asked.sort)
    rows, where = read.run(lambda conn: read_list(conn, asked, listing, counts_itself=True))
    return models.Runs(items=[models.Run.model_validate(row) for row in rows], pagination=where)


@router.get("/runs/{run_id}", summary="One run")
def explain_run(
    _: Reading, read: Read, run_id: Annotated[int, Path(ge=1, le=filters.MAX_SCOUT_ID)]
) -> models.RunReport:
    """A run with its steps, the reasons of what it left, and its seal."""
    return models.RunReport.model_validate(read.run(lambda conn: history.explain_run(conn, run_id)))


@router.get("/plan", summary="What the next run would change")
def plan(
    _: Reading, read: Read, served: Served, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> models.Plan:
    """By rule and reason, with the first rows of each list. Writes nothing."""
    found = read.run(lambda conn: refresh.plan(conn, served.settings()), PLAN)
    return models.Plan(
        total_persons=found.total_persons,
        is_first_run=found.is_first_run,
        changed_rows=found.changed_rows,
        guard=found.guard,
        link_count=sum(link.outcome == "LINK" for link in found.links),
        left_count=sum(link.outcome != "LINK" for link in found.links),
        scout_count=len(found.scouts),
        skipped_scouts=dict(found.skipped_scouts),
        links=[models.PlannedLink.model_validate(link) for link in found.links[:limit]],
        scouts=[models.PlannedScout.model_validate(scout) for scout in found.scouts[:limit]],
    )


@router.post(
    "/run-now",
    status_code=202,
    summary="Run the job now",
    responses={
        409: {
            "model": models.Problem,
            "description": "Another run is in progress (run_id), or the key is of another request",
        },
        429: {"model": models.Problem, "description": "Too many starts: Retry-After"},
    },
)
def start_run(
    request: Request,
    response: Response,
    served: Served,
    actor: Annotated[Actor, Depends(may("run"))],
    key: Key,
) -> models.RunStarted:
    """Start the job in the background; Location tells how it goes."""

    def begin(request_id: str) -> models.RunStarted:
        job = run_now.start(
            served.write_database(),
            served.settings(),
            actor=actor,
            request_id=request_id,
            requested_at=services.now(),
            trigger="api",
            on_end=served.written,
        )
        job.answered.wait(BEGIN_SECONDS)
        if job.run_id is None and job.error is not None:
            raise job.error
        name = request_id.partition("@")[0]
        return models.RunStarted(run_id=job.run_id, request_id=name, status_url=url_of(job.run_id))

    def url_of(run_id: int | None) -> str:
        place = "explain_run" if run_id is not None else "job_status"
        values = {} if run_id is None else {"run_id": run_id}
        # below the pages it stays there, where the browser sends its session
        return str(request.scope["root_path"] + request.app.url_path_for(place, **values))

    started = key.once(
        starts, models.RunStarted, begin, is_final=lambda made: made.run_id is not None
    )
    started = started.model_copy(update={"status_url": url_of(started.run_id)})
    response.headers["location"] = started.status_url
    return started
