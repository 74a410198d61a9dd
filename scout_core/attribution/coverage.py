"""How many persons have their scout, and why the others have none."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from scout_core.db import sql


@dataclass(frozen=True)
class Snapshot:
    """The numbers of one instant. Percentages 0..100, null without persons; times in UTC."""

    total_persons: int
    persons_with_scout_satisfactory: int
    pct_scout_satisfactory: Decimal | None
    persons_missing_scout: int
    conflicts_count: int
    backlog_a_events_without_scout: int
    backlog_d_scout_in_events_not_in_ledger: int
    backlog_c_legacy_no_events_no_ledger: int
    last_job_status: str | None
    last_job_ended_at: datetime | None
    last_job_started_at: datetime | None
    last_job_duration_seconds: Decimal | None
    last_job_summary: dict[str, Any] | None
    last_job_error: str | None
    # when it was read is not what was read: equal numbers are the same
    snapshot_timestamp: datetime = field(compare=False)
    lead_persons: int
    pct_scout_satisfactory_leads: Decimal | None
    satisfactory_lead_persons: int


@dataclass(frozen=True)
class ReasonCount:
    """How many persons of a backlog category have this reason."""

    category: str
    reason_code: str
    person_count: int


def snapshot(conn: Connection) -> Snapshot:
    """The numbers now. Reads ops.v_scout_attribution_metrics_snapshot."""
    return Snapshot(**conn.execute(sql.query("attribution/coverage", "snapshot")).mappings().one())


def count_reasons(conn: Connection) -> list[ReasonCount]:
    """Persons without a scout by category and reason; the counts add up to those missing.

    Reads ops.v_persons_without_scout_categorized.
    """
    return [
        ReasonCount(**row)
        for row in conn.execute(sql.query("attribution/coverage", "reasons")).mappings()
    ]
