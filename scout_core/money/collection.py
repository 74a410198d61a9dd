"""Collection: every claim on Yango with the scout of its person, and where the scout comes from."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, TextClause

from scout_core.db import sql
from scout_core.db.connecting import UNREADABLE
from scout_core.lists import filters, paging
from scout_core.lists.paging import Group, Key, Page, Sort

BUCKETS = (
    "SATISFACTORY_LEDGER",
    "EVENTS_ONLY",
    "MIGRATIONS_ONLY",
    "SCOUTING_DAILY_ONLY",
    "CABINET_PAYMENTS_ONLY",
    "MISSING",
)
OVERDUE_BUCKETS = ("0_not_due", "1_1_7", "2_8_14", "3_15_30", "4_30_plus")
PAYMENT_STATUSES = ("UNPAID", "PAID_MISAPPLIED", "PAID")
_CLAIM = (Key("driver_key", "text"), Key("milestone_key", "integer"))
# a claim may have no driver or no milestone, and one of both may come twice
SORTS = {
    "overdue": Sort(Key("overdue_key", "integer"), *_CLAIM, is_unique=False),
    "amount": Sort(Key("amount_key", "numeric"), *_CLAIM, is_unique=False),
}
# what orders the claims of the same keys: only whoever reads them all can afford to compute it
_WHOLE_SORTS = {name: Sort(*sort.keys, Key("row_key", "integer")) for name, sort in SORTS.items()}


@dataclass(frozen=True)
class CollectionFilters:
    """Which claims; null = any. bucket is a scout_quality_bucket; unpaid_only leaves out what Yango
    paid for this milestone; text is the beginning of a person key, driver that of a driver id."""

    missing_only: bool = False
    conflicts_only: bool = False
    scout_id: int | None = None
    bucket: str | None = None
    overdue_bucket: str | None = None
    payment_status: str | None = None
    unpaid_only: bool = False
    driver: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class _Key:
    driver_id: str | None
    driver_key: str
    milestone_key: int
    overdue_key: int
    amount_key: Decimal


@dataclass(frozen=True)
class _Claim:
    driver_id: str | None
    person_key: str | None
    driver_name: str | None
    milestone_value: int | None
    lead_date: date | None
    expected_amount: Decimal | None
    yango_due_date: date | None
    days_overdue_yango: int | None
    overdue_bucket_yango: str | None
    yango_payment_status: str | None
    pay_date: date | None
    reason_code: str | None
    identity_status: str | None
    match_confidence: str | None


@dataclass(frozen=True)
class _Listed(_Claim):
    resolved_person_key: UUID | None
    driver_key: str
    milestone_key: int
    overdue_key: int
    amount_key: Decimal
    row_key: int


@dataclass(frozen=True)
class _ClaimScout:
    scout_id: int | None
    scout_quality_bucket: str
    is_scout_resolved: bool
    scout_attribution_date: date | None
    is_conflict: bool


@dataclass(frozen=True)
class _PersonScout(_ClaimScout):
    resolved_person_key: UUID | None


@dataclass(frozen=True)
class Claim(_Claim):
    """One claim. Amounts in soles; null = unknown, also for driver and milestone."""

    scout_id: int | None
    scout_name: str | None
    scout_is_active: bool | None
    scout_quality_bucket: str
    is_scout_resolved: bool
    scout_attribution_date: date | None
    is_conflict: bool


def list_claims(
    conn: Connection,
    listed: CollectionFilters | None = None,
    *,
    sort: str = "overdue",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
    total: int | None = None,
) -> Page[Claim]:
    """Claims: longest overdue first ("overdue") or largest amount first ("amount").

    The claims of the page first, then the scouts of their persons, as in
    ops.v_yango_collection_with_scout.
    """
    query = sql.query("money/collection", "list_claims")
    page, copies = paging.read_copies(
        conn,
        query,
        _Key,
        _parameters(listed),
        sorts=SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
        total=total,
    )
    if any(UNREADABLE in (row.driver_id or "") for row in page.rows):
        # a driver whose bytes are no text is found by no key
        return paging.read_page(
            conn,
            sql.query_upon("money/collection", "with_scouts", "list_claims"),
            Claim,
            _parameters(listed),
            sorts=SORTS,
            sort=sort,
            after=after,
            before=before,
            page_size=page_size,
            total=total,
        )
    found = _read_few(conn, query, _parameters(listed), page.rows, SORTS[sort])
    claims = [
        found[_keys_of(row, SORTS[sort])][n - 1] for row, n in zip(page.rows, copies, strict=True)
    ]
    scouts = {
        row.resolved_person_key: row
        for row in paging.read_rows(
            conn,
            sql.query_upon("money/collection", "with_scouts", "list_persons"),
            _PersonScout,
            {"person_keys": list({claim.resolved_person_key for claim in claims})},
        )
    }
    # by number, for to list all names would take longer than the page
    ids = sorted({scout.scout_id for scout in scouts.values() if scout.scout_id is not None})
    named = conn.execute(sql.query("money/collection", "scout_names"), {"scout_ids": ids})
    names = {row.scout_id: (row.scout_name, row.scout_is_active) for row in named}
    rows = []
    for claim in claims:
        scout = scouts[claim.resolved_person_key]
        name, is_active = names.get(scout.scout_id, (None, None))
        rows.append(
            Claim(
                **_values(_Claim, claim),
                **_values(_ClaimScout, scout),
                scout_name=name,
                scout_is_active=is_active,
            )
        )
    return Page(tuple(rows), page.total, page.after, page.before)


def _read_few(
    conn: Connection,
    query: TextClause,
    parameters: dict[str, object],
    rows: Sequence[_Key],
    sort: Sort,
) -> dict[tuple[Any, ...], list[_Listed]]:
    """The claims of a page by their keys, those of the same keys in the order of a whole list."""
    drivers = {row.driver_key for row in rows}
    few = {
        "driver_ids": list(drivers),
        "is_driver_unknown": "" in drivers,
        "milestone_keys": list({row.milestone_key for row in rows}),
    }
    found: dict[tuple[Any, ...], list[_Listed]] = {}
    read = paging.read_rows(conn, query, _Listed, parameters | few)
    for claim in sorted(read, key=attrgetter("row_key"), reverse=True):
        found.setdefault(_keys_of(claim, sort), []).append(claim)
    return found


def _keys_of(row: _Key | _Listed, sort: Sort) -> tuple[Any, ...]:
    return tuple(getattr(row, key.name) for key in sort.keys)


def _values(part: type, row: object) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in fields(part)}


def stream_claims(
    conn: Connection, listed: CollectionFilters | None = None, *, sort: str = "overdue"
) -> Iterator[tuple[Any, ...]]:
    """Every claim of the filter, as the fields of Claim; memory stays flat."""
    query = sql.query_upon("money/collection", "with_scouts", "list_claims")
    return paging.stream_rows(
        conn, query, Claim, _parameters(listed), sorts=_WHOLE_SORTS, sort=sort
    )


def count_claims(conn: Connection, listed: CollectionFilters | None = None) -> int:
    """How many claims the filter has."""
    return paging.count_rows(
        conn, sql.query("money/collection", "list_claims"), _parameters(listed)
    )


def count_buckets(conn: Connection, listed: CollectionFilters | None = None) -> list[Group]:
    """Claims and soles of the filter by (bucket, overdue bucket, payment status, conflict).

    The groups add up to the rows: the totals of a page are sums of them.
    """
    by = ["scout_quality_bucket", "overdue_bucket_yango", "yango_payment_status", "is_conflict"]
    query = sql.query_upon("money/collection", "with_scouts", "list_claims")
    return paging.count_groups(conn, query, _parameters(listed), by=by, amount="expected_amount")


def _parameters(listed: CollectionFilters | None) -> dict[str, object]:
    given = listed or CollectionFilters()
    filters.check_choice(given.bucket, BUCKETS, "bucket")
    filters.check_choice(given.overdue_bucket, OVERDUE_BUCKETS, "overdue_bucket")
    filters.check_choice(given.payment_status, PAYMENT_STATUSES, "payment_status")
    filters.check_scout(given.scout_id)
    driver = filters.check_text(given.driver, "driver")
    key_from, key_to = filters.key_range(given.text)
    if given.bucket == "MISSING":
        given = replace(given, bucket=None, missing_only=True)
    return {
        **asdict(given),
        "driver": driver,
        "key_from": key_from,
        "key_to": key_to,
        "person_keys": None,
        "driver_ids": None,
        "is_driver_unknown": False,
        "milestone_keys": None,
    }
