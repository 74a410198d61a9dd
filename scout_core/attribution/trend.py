"""The last 30 days, the runs that mark them, and how far persons get: registered to claim."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection

from scout_core.db import sql


@dataclass(frozen=True)
class Day:
    """A Lima day. Percentages 0..100; null = unknown then. The by_source counts are persons linked
    or attributed that day. is_estimated: no run recorded it."""

    metric_date: date
    total_persons: int
    satisfactory_count: int
    pct_satisfactory: Decimal | None
    pct_satisfactory_leads: Decimal | None
    missing_count: int
    conflicts_count: int | None
    by_source_scouting_daily: int
    by_source_cabinet_leads: int
    by_source_lead_ledger: int
    is_estimated: bool


@dataclass(frozen=True)
class Mark:
    """A run worth marking: the first, a forced or a failed one. Times in UTC."""

    run_id: int
    started_at: datetime
    status: str
    actor: str | None
    error: str | None
    is_forced: bool
    is_first: bool


@dataclass(frozen=True)
class Funnel:
    """Persons, each step a part of the one before: registered, leads, of those with a scout named
    by any source, of those with the scout in the ledger."""

    registered: int
    leads: int
    named: int
    in_ledger: int


@dataclass(frozen=True)
class Claims:
    """All claims and what they are worth in soles. persons_in_ledger: persons of the funnel's last
    step who have one. at_stake_pen: unpaid claims of persons with an open conflict."""

    claims: int
    with_scout: int
    persons_in_ledger: int
    at_stake_pen: Decimal
    unpaid_pen: Decimal


def list_days(conn: Connection) -> tuple[Day, ...]:
    """Today and the 30 days before, oldest first. Reads ops.v_scout_attribution_metrics_daily."""
    return tuple(
        Day(**row) for row in conn.execute(sql.query("attribution/trend", "list_days")).mappings()
    )


def list_past_days(conn: Connection, days: int) -> tuple[Day, ...]:
    """The last `days` days including today, oldest first; of those before the last 31 only the ones
    that a run recorded.

    Reads ops.v_scout_attribution_metrics_daily and scout.metrics_history.
    """
    rows = conn.execute(
        sql.query("attribution/trend", "list_past_days"), {"day_count": days}
    ).mappings()
    return tuple(Day(**row) for row in rows)


def list_marks(conn: Connection, *, since: datetime, limit: int = 6) -> tuple[Mark, ...]:
    """The newest runs worth marking, oldest first."""
    values = {"since": since, "row_limit": limit}
    rows = conn.execute(sql.query("attribution/trend", "list_marks"), values).mappings().all()
    return tuple(Mark(**row) for row in reversed(rows))


def count_funnel(conn: Connection) -> Funnel:
    """How far persons get now. Reads scout.v_person_attribution."""
    return Funnel(**conn.execute(sql.query("attribution/trend", "funnel")).mappings().one())


def count_claims(conn: Connection) -> Claims:
    """What the claims come to now. Reads scout.v_claims, so it is as fast as the owner's view."""
    return Claims(**conn.execute(sql.query("attribution/trend", "claims")).mappings().one())
