"""The base of the liquidation: what each scout could be paid, and why not. It pays nothing."""

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

PAYMENT_STATUSES = ("ELIGIBLE", "PENDING", "BLOCKED", "PAID")
BLOCK_REASONS = ("CONFLICT", "NO_IDENTITY")
SORTS = {
    "newest": Sort(Key("newest_key", "date"), Key("row_key", "uuid")),
    "scout": Sort(Key("scout_key", "integer"), Key("row_key", "uuid"), is_descending=False),
    # made of the claims of everybody, so slow on a large base that is not filtered
    "amount": Sort(Key("amount_key", "numeric"), Key("row_key", "uuid")),
}


@dataclass(frozen=True)
class LiquidationFilters:
    """Which persons with a scout; null = any. since and until hold the day of the attribution;
    text is the beginning of a person key."""

    payment_status: str | None = None
    block_reason: str | None = None
    scout_id: int | None = None
    since: date | None = None
    until: date | None = None
    text: str | None = None


@dataclass(frozen=True)
class _Key:
    person_key: str


@dataclass(frozen=True)
class _Payable:
    person_key: str
    driver_id: str | None
    scout_id: int
    origin_tag: str | None
    source_table: str
    source_pk: str
    attribution_date: date | None
    milestone_reached: int | None
    milestone_date: date | None
    eligible_7d: bool | None
    amount_payable: Decimal | None
    payment_status: str
    block_reason: str | None
    paid_to_other_scout_id: int | None


@dataclass(frozen=True)
class Payable(_Payable):
    """One person with a scout. amount_payable in soles, null without a rule that fits,
    and where several do; paid_to_other_scout_id: the ledger paid somebody else for this person;
    block_reason null unless payment_status is BLOCKED or a conflict stands over a paid one."""

    scout_name: str | None


def list_base(
    conn: Connection,
    listed: LiquidationFilters | None = None,
    *,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
    total: int | None = None,
) -> Page[Payable]:
    """Persons with a scout: newest attribution first ("newest"), by scout ("scout"), or largest
    amount first ("amount").

    The keys of the page first, then what the liquidation says of those persons, as in
    ops.v_scout_payment_base.
    """
    page = paging.read_page(
        conn,
        sql.query("money/liquidation", "list_base"),
        _Key,
        _parameters(listed),
        sorts=SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
        total=count_base(conn, listed) if total is None else total,
    )
    keys = [row.person_key for row in page.rows]
    found = {
        row.person_key: row
        for row in paging.read_rows(
            conn,
            sql.query("money/liquidation", "list_base"),
            _Payable,
            _parameters(None) | {"person_keys": keys},
        )
    }
    names = stakes.names_of_scouts(conn, (row.scout_id for row in found.values()))
    rows = tuple(
        Payable(
            **{field.name: getattr(found[key], field.name) for field in fields(_Payable)},
            scout_name=names.get(found[key].scout_id),
        )
        for key in keys
    )
    return Page(rows, page.total, page.after, page.before)


def stream_base(
    conn: Connection, listed: LiquidationFilters | None = None, *, sort: str = "newest"
) -> Iterator[tuple[Any, ...]]:
    """Every person of the filter, as the fields of Payable; memory stays flat."""
    query = sql.query("money/liquidation", "list_base")
    return paging.stream_rows(conn, query, Payable, _parameters(listed), sorts=SORTS, sort=sort)


def count_base(conn: Connection, listed: LiquidationFilters | None = None) -> int:
    """How many persons of the filter have a scout. All are kept as a total."""
    if listed is None or listed == LiquidationFilters():
        return int(conn.scalar(sql.query("money/liquidation", "count_settled")))
    return paging.count_rows(conn, sql.query("money/liquidation", "list_base"), _parameters(listed))


def count_statuses(conn: Connection, listed: LiquidationFilters | None = None) -> list[Group]:
    """Persons and payable soles of the filter by (payment status, block reason)."""
    if listed is None or listed == LiquidationFilters():
        rows = conn.execute(sql.query("money/liquidation", "count_statuses"))
        return [
            Group((status, block), count, amount, count - known)
            for status, block, count, amount, known in rows
        ]
    query = sql.query("money/liquidation", "list_base")
    return paging.count_groups(
        conn,
        query,
        _parameters(listed),
        by=["payment_status", "block_reason"],
        amount="amount_payable",
    )


def _parameters(listed: LiquidationFilters | None) -> dict[str, object]:
    given = listed or LiquidationFilters()
    filters.check_choice(given.payment_status, PAYMENT_STATUSES, "payment_status")
    filters.check_choice(given.block_reason, BLOCK_REASONS, "block_reason")
    filters.check_scout(given.scout_id)
    filters.check_days(given.since, given.until)
    key_from, key_to = filters.key_range(given.text)
    return {**asdict(given), "key_from": key_from, "key_to": key_to, "person_keys": None}
