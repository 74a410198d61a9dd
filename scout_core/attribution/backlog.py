"""The backlog: persons without a scout in the ledger, why, and what to do about each."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from scout_core.attribution import stakes
from scout_core.db import sql
from scout_core.lists import filters, paging
from scout_core.lists.paging import Group, Key, Page, Sort

CATEGORIES = ("A", "C", "D")
# as ops.v_persons_without_scout_categorized has them
LABELS = {"A": "EVENTOS_SIN_SCOUT", "C": "LEGACY", "D": "SCOUT_EN_EVENTOS_NO_PROPAGADO"}
# Each reason with its categories, in the order in which the first that fits is taken.
REASONS = {
    "DECIDED_NO_SCOUT": "ACD",
    "HELD_AFTER_UNDO": "D",
    "SEVERAL_SCOUTS": "D",
    "OTHER_SOURCE_DISAGREES": "D",
    "UNREADABLE_SCOUT": "AD",
    "UNKNOWN_SCOUT": "D",
    "WAITING_FOR_NEXT_RUN": "D",
    "SCOUT_ONLY_IN_OTHER_SOURCE": "AC",
    "EVENTS_WITHOUT_SCOUT": "A",
    "NO_EVENTS": "C",
}
SORTS = {
    "newest": Sort(Key("newest_key", "date"), Key("row_key", "uuid")),
    "oldest": Sort(Key("oldest_key", "date"), Key("row_key", "uuid"), is_descending=False),
}


@dataclass(frozen=True)
class BacklogFilters:
    """Which persons without a scout; null = any. source is a table that their events come from,
    as the events name it; scout_id the one scout of their events; since and until hold the newest
    event; text is the beginning of a person key."""

    category: str | None = None
    reason_code: str | None = None
    source: str | None = None
    scout_id: int | None = None
    lead_only: bool = False
    since: date | None = None
    until: date | None = None
    text: str | None = None


@dataclass(frozen=True)
class _Missing:
    person_key: str
    category: str
    reason_code: str
    scout_id: int | None
    source_tables: list[str]
    origin_tags: list[str]
    first_event_date: date | None
    last_event_date: date | None
    event_count: int
    is_conflict: bool
    is_lead: bool


@dataclass(frozen=True)
class MissingPerson(_Missing):
    """One person without a scout. scout_id is that of the events when they name exactly one;
    at_stake_pen the soles of the claims that Yango has not paid, null when unknown."""

    at_stake_pen: Decimal | None


@dataclass(frozen=True)
class ExportedPerson(MissingPerson):
    """The same with a phone and a licence that the evidence gives, as it gives them."""

    driver_phone: str | None
    driver_license: str | None


def list_missing(
    conn: Connection,
    listed: BacklogFilters | None = None,
    *,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
    total: int | None = None,
) -> Page[MissingPerson]:
    """Persons without a scout: newest event first ("newest") or oldest event first ("oldest"),
    those without events last.

    Reads ops.v_persons_without_scout_categorized and scout.v_claims.
    """
    page = paging.read_page(
        conn,
        sql.query("attribution/backlog", "list_missing"),
        _Missing,
        _parameters(listed),
        sorts=SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
        total=count_missing(conn, listed) if total is None else total,
    )
    found = stakes.by_person(conn, (row.person_key for row in page.rows))
    rows = tuple(
        MissingPerson(
            **{field.name: getattr(row, field.name) for field in fields(row)},
            at_stake_pen=found[row.person_key].at_stake_pen,
        )
        for row in page.rows
    )
    return Page(rows, page.total, page.after, page.before)


def stream_missing(
    conn: Connection, listed: BacklogFilters | None = None, *, sort: str = "newest"
) -> Iterator[tuple[Any, ...]]:
    """Every person of the filter, as the fields of ExportedPerson; memory stays flat."""
    query = sql.query("attribution/backlog", "list_missing")
    return paging.stream_rows(
        conn, query, ExportedPerson, _parameters(listed), sorts=SORTS, sort=sort
    )


def count_missing(conn: Connection, listed: BacklogFilters | None = None) -> int:
    """How many persons of the filter have no scout. All, and those of a category or reason, are
    kept as totals."""
    totals = _of_totals(listed)
    if totals is not None:
        return int(conn.scalar(sql.query("attribution/backlog", "count_settled"), totals))
    return paging.count_rows(
        conn, sql.query("attribution/backlog", "list_missing"), _parameters(listed)
    )


def count_reasons(conn: Connection, listed: BacklogFilters | None = None) -> list[Group]:
    """Persons of the filter by category and reason, with the money at stake."""
    totals = _of_totals(listed)
    if totals is not None:
        rows = conn.execute(sql.query("attribution/backlog", "count_reasons"), totals)
        return [
            Group((category, reason), count, amount, count - known)
            for category, reason, count, amount, known in rows
        ]
    query = sql.query("attribution/backlog", "list_missing")
    return paging.count_groups(
        conn, query, _parameters(listed), by=["category", "reason_code"], amount="at_stake_pen"
    )


def _of_totals(listed: BacklogFilters | None) -> dict[str, object] | None:
    """The filter, where the totals are kept by what it asks for; else null."""
    given = listed or BacklogFilters()
    if given != BacklogFilters(category=given.category, reason_code=given.reason_code):
        return None
    filters.check_choice(given.category, CATEGORIES, "category")
    filters.check_choice(given.reason_code, REASONS, "reason_code")
    return {"category": given.category, "reason_code": given.reason_code}


def _parameters(listed: BacklogFilters | None) -> dict[str, object]:
    given = listed or BacklogFilters()
    filters.check_choice(given.category, CATEGORIES, "category")
    filters.check_choice(given.reason_code, REASONS, "reason_code")
    filters.check_scout(given.scout_id)
    filters.check_days(given.since, given.until)
    key_from, key_to = filters.key_range(given.text)
    source = filters.check_text(given.source, "source")
    return {**asdict(given), "source": source, "key_from": key_from, "key_to": key_to}
