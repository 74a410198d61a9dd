"""Routes of attribution: numbers, days, conflicts, backlog, one person."""

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import Connection

from api import models, services
from api.access import Reading
from api.lists import filters_of, read_list
from api.reading import Read
from scout_core.alerts import register
from scout_core.attribution import backlog, conflicts, coverage, persons, trend
from scout_core.health import verdict

router = APIRouter(prefix="/scouts/attribution", tags=["attribution"])


@router.get("/metrics", summary="The numbers now")
def metrics(_: Reading, read: Read) -> models.Metrics:
    """Coverage, backlog by category, open conflicts and the last run, all of one instant."""
    now = asdict(read.run(coverage.snapshot))
    return models.Metrics(
        **{name: now[name] for name in models.Metrics.model_fields if name in now},
        backlog=models.Backlog(
            a_events_without_scout=now["backlog_a_events_without_scout"],
            d_scout_in_events_not_in_ledger=now["backlog_d_scout_in_events_not_in_ledger"],
            c_legacy=now["backlog_c_legacy_no_events_no_ledger"],
        ),
        last_job=models.LastJob(
            **{name: now[f"last_job_{name}"] for name in models.LastJob.model_fields}
        ),
    )


@router.get("/metrics/daily", summary="The numbers of past days")
def metrics_daily(
    _: Reading, read: Read, days: Annotated[int, Query(ge=1, le=365)] = 30
) -> models.Daily:
    """The last days including today, oldest first."""
    found = read.run(lambda conn: trend.list_past_days(conn, days))
    return models.Daily(
        daily_metrics=[
            models.DailyMetrics(
                date=day.metric_date,
                total_persons=day.total_persons,
                satisfactory_count=day.satisfactory_count,
                pct_satisfactory=day.pct_satisfactory,
                missing_count=day.missing_count,
                conflicts_count=day.conflicts_count,
                by_source=models.BySource(
                    scouting_daily=day.by_source_scouting_daily,
                    cabinet_leads=day.by_source_cabinet_leads,
                    lead_ledger=day.by_source_lead_ledger,
                ),
                is_estimated=day.is_estimated,
            )
            for day in found
        ]
    )


@router.get("/health/history", summary="When health changed")
def health_history(
    _: Reading, read: Read, limit: Annotated[int, Query(ge=1, le=1000)] = 50
) -> models.HealthHistory:
    """The newest changes of state of the verdict, its indicators and the lights, newest first."""
    found = read.run(lambda conn: verdict.list_changes(conn, limit=limit))
    return models.HealthHistory(
        changes=[models.HealthChange.model_validate(change) for change in found]
    )


@router.get("/conflicts", summary="Open conflicts")
def list_conflicts(
    _: Reading, read: Read, asked: Annotated[models.ConflictQuestion, Query()]
) -> models.Conflicts:
    """Persons whose evidence names scouts that cannot all be right."""
    given = filters_of(conflicts.ConflictFilters, asked)
    listing = partial(conflicts.list_open, listed=given, sort=asked.sort)
    rows, where = read.run(lambda conn: read_list(conn, asked, listing))
    return models.Conflicts(
        items=[models.Conflict.model_validate(row) for row in rows], pagination=where
    )


@router.get("/backlog", summary="Persons without a scout")
def list_backlog(
    _: Reading, read: Read, asked: Annotated[models.BacklogQuestion, Query()]
) -> models.MissingPersons:
    """Each person without a scout with category and reason."""
    given = filters_of(backlog.BacklogFilters, asked)
    listing = partial(backlog.list_missing, listed=given, sort=asked.sort)
    rows, where = read.run(lambda conn: read_list(conn, asked, listing))
    items = [
        models.Missing(**asdict(row), category_label=backlog.LABELS[row.category]) for row in rows
    ]
    return models.MissingPersons(items=items, pagination=where)


@router.get("/persons/{person_key}", summary="One person explained")
def explain_person(_: Reading, read: Read, person_key: UUID) -> models.Person:
    """Every piece of evidence and every change, why this scout or why none, what next."""
    key, now = str(person_key), services.now()

    def told(conn: Connection) -> dict[str, Any]:
        found = asdict(persons.explain(conn, key))
        return {**found, "alerts": register.by_person(conn, key, now)}

    return models.Person.model_validate(read.run(told))
