"""What somebody should look at: bad values, rows to review, leads without a scout, failed runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from scout_core import filters, sql
from scout_core.paging import Key, Page, Sort, read_page

ListName = Literal["issues", "review", "leads", "runs"]

ISSUE_RULES = (
    "UNREADABLE_SCOUT",
    "UNKNOWN_SCOUT",
    "PAYLOAD_SHAPE",
    "PAYLOAD_TOO_LARGE",
    "SIMILAR_KEY",
    "DATE_OUT_OF_RANGE",
)
LEAD_RULES = ("SCOUT_IN_EVENTS", "NO_SCOUT_IN_EVENTS")


def _sorts(*keys: Key) -> Mapping[str, Sort]:
    return {"newest": Sort(*keys), "oldest": Sort(*keys, is_descending=False)}


ISSUE_SORTS = _sorts(Key("issue_id", "integer"))
REVIEW_SORTS = _sorts(Key("unmatched_id", "integer"))
LEAD_SORTS = _sorts(Key("newest_key", "timestamp"), Key("cabinet_lead_id", "integer"))


@dataclass(frozen=True)
class RuleCount:
    """How many rows of a list fall under a rule, and since when the oldest of them is there."""

    list_name: str
    rule: str | None
    row_count: int
    since: datetime | None


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
    """A cabinet lead without a scout in the ledger. person_key null = it leads to nobody;
    potential_scout_id: the one scout of the person's events, a hint."""

    cabinet_lead_id: int
    external_id: str | None
    lead_created_at: datetime | None
    person_key: str | None
    potential_scout_id: int | None
    has_scout_in_events: bool


def count_by_rule(conn: Connection, *, failed_since: datetime) -> tuple[RuleCount, ...]:
    """What there is to look at, by list and rule, most first in each list; failed runs since.

    Reads scout.data_quality_issues, canon.identity_unmatched, the cabinet leads and the runs.
    """
    query = sql.query("alerts", "count_by_rule")
    rows = conn.execute(query, {"failed_since": failed_since}).mappings()
    return tuple(RuleCount(**row) for row in rows)


def list_issues(
    conn: Connection,
    rule: str | None = None,
    *,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
) -> Page[Issue]:
    """The open issues of the sources, newest or oldest first."""
    filters.check_choice(rule, ISSUE_RULES, "rule")
    return read_page(
        conn,
        sql.query("alerts", "list_issues"),
        Issue,
        {"rule": rule},
        sorts=ISSUE_SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
    )


def list_review(
    conn: Connection,
    rule: str | None = None,
    *,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
) -> Page[ReviewRow]:
    """The rows of the sources that wait for a person's review, newest or oldest first.

    rule: a reason_code; another system may have written reasons of its own.
    """
    return read_page(
        conn,
        sql.query("alerts", "list_review"),
        ReviewRow,
        {"rule": filters.check_text(rule, "rule")},
        sorts=REVIEW_SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
    )


def list_leads(
    conn: Connection,
    rule: str | None = None,
    *,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
) -> Page[LeadWithoutScout]:
    """The cabinet leads without a scout, newest or oldest first.

    Reads ops.v_cabinet_leads_missing_scout_alerts.
    """
    filters.check_choice(rule, LEAD_RULES, "rule")
    return read_page(
        conn,
        sql.query("alerts", "list_leads"),
        LeadWithoutScout,
        {"rule": rule},
        sorts=LEAD_SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
    )
