"""The audit: every change of links, ledger and events, by whom, in which run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection, TextClause

from scout_core.days import midnight
from scout_core.db import sql
from scout_core.lists import filters
from scout_core.lists.paging import Key, Page, Sort, read_page
from scout_core.lists.paging import stream_rows as stream

Table = Literal["ledger", "links", "events"]

TABLES: Mapping[str, str] = {
    "ledger": "ops.lead_ledger_scout_backfill_audit",
    "links": "ops.identity_links_backfill_audit",
    "events": "ops.lead_events_scout_backfill_audit",
}
# what each table's method may be: rules that wrote, reasons that left
METHODS: Mapping[str, tuple[str, ...]] = {
    "ledger": (
        "BACKFILL_SINGLE_SCOUT_FROM_EVENTS",
        "MANUAL_DECISION",
        "EXTERNAL_CHANGE",
        "REVERT",
        "ERASURE",
    ),
    "links": (
        "BACKFILL_LICENSE_MATCH",
        "BACKFILL_PHONE_MATCH",
        "BACKFILL_NEW_PERSON",
        "REVIEW_LINK",
        "REVIEW_NEW_PERSON",
        "REVIEW_MOVE",
        "REVIEW_DISMISSED",
        "EXTERNAL_CHANGE",
        "AMBIGUOUS_LICENSE",
        "AMBIGUOUS_PHONE",
        "IDENTIFIERS_DISAGREE",
        "NO_IDENTIFIERS",
        "KEYS_MOVED",
    ),
    "events": (),
}
ALL_METHODS = tuple(dict.fromkeys(m for methods in METHODS.values() for m in methods))
SORTS = {
    "newest": Sort(Key("audit_id", "integer")),
    "oldest": Sort(Key("audit_id", "integer"), is_descending=False),
}


@dataclass(frozen=True)
class AuditFilters:
    """Which rows of one audit table; null = any. person: the beginning of a person key; since
    and until are days in Lima, both included."""

    person: str | None = None
    run_id: int | None = None
    method: str | None = None
    actor: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class ExportedAudit(AuditFilters):
    """The same with the audit table: ledger, links or events."""

    table: str = "ledger"


@dataclass(frozen=True)
class AuditRow:
    """One change, or one link that could not be made. Null where the table has no such thing.

    action: INSERTED, UPDATED; of links CREATED, AMBIGUOUS, SKIPPED, REVERTED. run_id null =
    somebody else's change (EXTERNAL_CHANGE).
    """

    audit_id: int
    changed_at: datetime
    person_key: str | None
    source_table: str | None
    source_pk: str | None
    action: str
    method: str | None
    old_scout_id: int | None
    new_scout_id: int | None
    run_id: int | None
    actor: str | None
    notes: str | None


@dataclass(frozen=True)
class MethodCount:
    """How many audit rows a run wrote into a table by a rule or for a reason."""

    table_name: str
    method: str | None
    row_count: int


def list_rows(
    conn: Connection,
    table: str,
    given: AuditFilters,
    *,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
) -> Page[AuditRow]:
    """The rows of one audit table under a filter, newest or oldest first.

    BadInput for a table, sort, cursor or filter that cannot be.
    """
    return read_page(
        conn,
        _query(table),
        AuditRow,
        _parameters(given),
        sorts=SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
    )


def stream_rows(
    conn: Connection, given: ExportedAudit, *, sort: str = "newest"
) -> Iterator[tuple[Any, ...]]:
    """Every row of one audit table under a filter, as the fields of AuditRow; memory stays flat."""
    return stream(conn, _query(given.table), AuditRow, _parameters(given), sorts=SORTS, sort=sort)


def _query(table: str) -> TextClause:
    filters.check_choice(table, tuple(TABLES), "table")
    return sql.query("runs/audit", f"list_{table}")


def _parameters(given: AuditFilters) -> dict[str, object]:
    filters.check_days(given.since, given.until)
    if given.run_id is not None:
        filters.check_number(given.run_id, "run_id")
    key_from, key_to = filters.key_range(given.person)
    return {
        "run_id": given.run_id,
        "method": filters.check_text(given.method, "method"),
        "actor": filters.check_text(given.actor, "actor"),
        "since": midnight(given.since),
        "until": midnight(given.until, days_later=1),
        "key_from": key_from,
        "key_to": key_to,
    }


def count_of_run(conn: Connection, run_id: int) -> tuple[MethodCount, ...]:
    """How many audit rows a run wrote, by table and rule or reason, most first in each table."""
    rows = conn.execute(sql.query("runs/audit", "count_of_run"), {"run_id": run_id}).mappings()
    return tuple(MethodCount(**row) for row in rows)
