"""Run the job on a test's database, then look at all that it shows, as the reader role sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from scout_core.access.permissions import Actor
from scout_core.db.database import ADMIN, LOOK, Database
from scout_core.health import source_checks
from scout_core.install import demo
from scout_core.job.refresh import run_refresh
from scout_core.runs.record import RunResult
from scout_core.settings import load
from tests.support import databases

OPERATOR = Actor("test", "operator")

# The views that others rely on, with the columns that each has at least.
CONTRACT = {
    "v_scout_attribution_raw": "person_key driver_id driver_license driver_phone scout_id"
    " origin_tag acquisition_method source_table source_pk attribution_date created_at priority",
    "v_scout_attribution": "person_key driver_id driver_license driver_phone scout_id"
    " acquisition_method source_table source_pk attribution_date created_at priority is_conflict",
    "v_scout_attribution_conflicts": "person_key distinct_scout_count scout_ids sources origin_tags"
    " first_event_date last_event_date total_sources conflict_kind ledger_scout_id",
    "v_persons_without_scout_categorized": "person_key category category_label scout_id"
    " source_tables origin_tags first_event_date last_event_date event_count reason_code"
    " is_conflict",
    "v_scout_attribution_metrics_snapshot": "total_persons persons_with_scout_satisfactory"
    " pct_scout_satisfactory persons_missing_scout conflicts_count backlog_a_events_without_scout"
    " backlog_d_scout_in_events_not_in_ledger backlog_c_legacy_no_events_no_ledger last_job_status"
    " last_job_ended_at last_job_started_at last_job_duration_seconds last_job_summary"
    " last_job_error snapshot_timestamp lead_persons pct_scout_satisfactory_leads",
    "v_scout_attribution_metrics_daily": "metric_date total_persons satisfactory_count"
    " pct_satisfactory missing_count conflicts_count by_source_scouting_daily"
    " by_source_cabinet_leads by_source_lead_ledger computed_at is_estimated",
    "v_yango_collection_with_scout": "driver_id person_key driver_name milestone_value lead_date"
    " expected_amount yango_due_date days_overdue_yango overdue_bucket_yango yango_payment_status"
    " payment_key pay_date reason_code match_rule match_confidence identity_status"
    " suggested_driver_id is_reconcilable_enriched scout_id scout_name scout_name_normalized"
    " scout_is_active scout_quality_bucket is_scout_resolved scout_source_table"
    " scout_attribution_date scout_priority is_conflict",
    "v_scout_payment_base": "person_key driver_id scout_id origin_tag source_table source_pk"
    " attribution_date milestone_reached milestone_date eligible_7d amount_payable payment_status"
    " block_reason",
    "v_cabinet_leads_missing_scout_alerts": "cabinet_lead_id external_id lead_created_at person_key"
    " potential_scout_id has_scout_in_events",
    "v_dim_scouts": "scout_id raw_name scout_name_normalized is_active created_at updated_at",
}
STATES = """
select p.person_key, p.ledger_scout_id, p.category, p.reason_code, p.conflict_kind
from scout.v_person_attribution as p
"""
ISSUES = """
select i.rule, i.source_table, i.source_pk, i.raw_excerpt, i.person_key, i.closed_at is null
from scout.data_quality_issues as i order by i.issue_id
"""


@dataclass(frozen=True)
class State:
    """A person: the ledger's scout, else the backlog category and reason; an open conflict."""

    scout: int | None = None
    category: str | None = None
    reason: str | None = None
    conflict: str | None = None


@dataclass(frozen=True)
class Issue:
    """A data-quality issue as it is kept."""

    rule: str
    table: str
    pk: str
    excerpt: str
    person: UUID | None
    is_open: bool


@dataclass(frozen=True)
class Look:
    """All that is shown at one instant: every contract view, every person, every issue."""

    views: dict[str, list[dict[str, Any]]]
    states: dict[UUID, State]
    issues: list[Issue]

    def open_issues(self, pk: object, table: str = "observational.lead_events") -> list[Issue]:
        """The open issues of one source row."""
        return [i for i in self.issues if i.is_open and (i.table, i.pk) == (table, str(pk))]

    def rows_of(self, view: str, **values: object) -> list[dict[str, Any]]:
        """The rows of a contract view with these values."""
        wanted = values.items()
        return [row for row in self.views[view] if all(row[k] == v for k, v in wanted)]

    def row_of(self, view: str, **values: object) -> dict[str, Any]:
        """The one row of a contract view with these values."""
        (row,) = self.rows_of(view, **values)
        return row


@contextmanager
def installed(server_url: str) -> Iterator[Database]:
    """A database of its own, installed and empty, for a fixture of wider scope than a test."""
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        database = Database(url)
        yield database
        database.dispose()


@contextmanager
def refreshed_demo(server_url: str, persons: int = 300) -> Iterator[Database]:
    """A database of its own with demo data after one refresh."""

    def fill(url: str) -> None:
        database = Database(url)
        demo.load(database, load({}, dotenv=None), persons=persons, report=lambda _: None)
        refresh(database)
        source_checks.run_checks(database, load({}, dotenv=None), datetime.now(UTC), actor=OPERATOR)
        database.dispose()

    made_of = databases.hash_of("tests/source_schema.sql", "sql", "scout_core")
    template = databases.template(server_url, f"refreshed{persons}", made_of, fill)
    with databases.clone(server_url, template) as url:
        database = Database(url)
        yield database
        database.dispose()


def refresh(db: Database, **environ: str) -> RunResult:
    """One run that no guard stops: a few rows are all there is in a test."""
    return run_refresh(
        db,
        load(environ, dotenv=None),
        actor=OPERATOR,
        force=True,
        reason="a run of the tests",
    )


def rows(db: Database, query: str, **values: object) -> list[Any]:
    """The rows of a query, as the login."""
    with db.transaction(ADMIN) as conn:
        return list(conn.execute(text(query), values).all())


def value(db: Database, query: str, **values: object) -> Any:
    """The first column of the one row of a query, as the login."""
    (row,) = rows(db, query, **values)
    return row[0]


def write(db: Database, *statements: str, **values: object) -> None:
    """Statements in one transaction, as the login."""
    with db.transaction(ADMIN) as conn:
        for statement in statements:
            conn.execute(text(statement), values)


def look(db: Database) -> Look:
    """Read every contract view whole, every state and issue, on one snapshot as the reader."""
    with db.transaction(LOOK) as conn:
        views = {
            name: [dict(row) for row in conn.execute(text(f"select * from ops.{name}")).mappings()]
            for name in CONTRACT
        }
        states = {row[0]: State(*row[1:]) for row in conn.execute(text(STATES))}
        issues = [Issue(*row) for row in conn.execute(text(ISSUES))]
    return Look(views, states, issues)
