"""What an alert of a source row tells of: its bad values, whom it may belong to, the lead."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from scout_core.db import sql

LEADS = "public.module_ct_cabinet_leads"
SCOUTING = "public.module_ct_scouting_daily"


@dataclass(frozen=True)
class Issue:
    """A value of a source row that cannot be used. raw_excerpt is masked; person_key null = the
    row leads to nobody, or to whom is not known."""

    issue_id: int
    rule: str
    source_table: str
    source_pk: str
    raw_excerpt: str | None
    person_key: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    first_seen_run: int | None


@dataclass(frozen=True)
class ReviewRow:
    """A source row that could not be linked to a person. candidate_person_keys: the first five."""

    unmatched_id: int
    source_table: str
    source_pk: str
    reason_code: str
    candidate_count: int
    candidate_person_keys: list[str]
    created_at: datetime | None
    run_id: int | None


@dataclass(frozen=True)
class LeadWithoutScout:
    """A cabinet lead, of which an alert says that it has no scout. person_key null = it leads to
    nobody; potential_scout_id: the one scout of the person's events, a hint."""

    cabinet_lead_id: int
    external_id: str | None
    lead_created_at: datetime | None
    person_key: str | None
    potential_scout_id: int | None
    has_scout_in_events: bool


@dataclass(frozen=True)
class RowTold:
    """What is wrong with a source row now; empty where it was mended since."""

    issues: tuple[Issue, ...]
    review: ReviewRow | None
    lead: LeadWithoutScout | None


def row_of(subject: str) -> tuple[str, str] | None:
    """Table and key of the row that an alert names; null when it names no row."""
    table, slash, key = subject.partition("/")
    return (table, key) if slash and key else None


def explain_row(
    conn: Connection, rule: str, subject: str, person_key: str | None = None
) -> RowTold:
    """What the alert (rule, subject) tells of, as it is now; person_key: whom it is about.

    Reads scout.data_quality_issues, canon.identity_unmatched and the cabinet leads.
    """
    row = row_of(subject)
    if row is None:
        return RowTold((), None, None)
    given = {
        "rule": rule,
        "source_table": row[0],
        "source_pk": row[1],
        "person_key": person_key,
    }
    issues = conn.execute(sql.query("alerts/source_row", "issues_of_row"), given).mappings()
    review = (
        conn.execute(sql.query("alerts/source_row", "review_of_row"), given)
        .mappings()
        .one_or_none()
        if rule == "IDENTITY_TO_REVIEW"
        else None
    )
    lead = (
        conn.execute(sql.query("alerts/source_row", "lead_of_row"), given).mappings().first()
        if rule == "CABINET_LEAD_WITHOUT_SCOUT" and row[0] == LEADS
        else None
    )
    return RowTold(
        tuple(Issue(**issue) for issue in issues),
        None if review is None else ReviewRow(**review),
        None if lead is None else LeadWithoutScout(**lead),
    )
