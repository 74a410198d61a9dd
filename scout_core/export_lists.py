"""Which lists can be exported, and one export of a list from its filter to its record."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from sqlalchemy import Connection

from scout_core import backlog, collection, conflicts, export, liquidation
from scout_core.errors import BadInput
from scout_core.export import Form, Written
from scout_core.paging import Sort
from scout_core.permissions import Actor


@dataclass(frozen=True)
class ExportList:
    """A list that can be exported; stream gives the values of its rows in order."""

    stream: Callable[..., Iterator[tuple[Any, ...]]]
    row_class: type
    filters: type
    sorts: Mapping[str, Sort]
    choices: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class ExportRecord:
    """Who exported what: all that is kept of an export. No values of its rows."""

    taken_at: datetime
    actor: str
    role: str
    list_name: str
    filters: dict[str, Any]
    sort: str
    format: str
    is_raw: bool
    is_clear: bool
    reason: str | None
    row_count: int
    byte_count: int
    sha256: str


LISTS: Mapping[str, ExportList] = {
    "conflicts": ExportList(
        conflicts.stream_open,
        conflicts.ExportedConflict,
        conflicts.ConflictFilters,
        conflicts.SORTS,
        {"conflict_kind": conflicts.KINDS},
    ),
    "backlog": ExportList(
        backlog.stream_missing,
        backlog.ExportedPerson,
        backlog.BacklogFilters,
        backlog.SORTS,
        {"category": backlog.CATEGORIES, "reason_code": tuple(backlog.REASONS)},
    ),
    "collection": ExportList(
        collection.stream_claims,
        collection.Claim,
        collection.CollectionFilters,
        collection.SORTS,
        {
            "bucket": collection.BUCKETS,
            "overdue_bucket": collection.OVERDUE_BUCKETS,
            "payment_status": collection.PAYMENT_STATUSES,
        },
    ),
    "liquidation": ExportList(
        liquidation.stream_base,
        liquidation.Payable,
        liquidation.LiquidationFilters,
        liquidation.SORTS,
        {
            "payment_status": liquidation.PAYMENT_STATUSES,
            "block_reason": liquidation.BLOCK_REASONS,
        },
    ),
}


def export_list(
    conn: Connection,
    name: str,
    filters: Any,
    out: BinaryIO,
    form: Form,
    *,
    actor: Actor,
    now: datetime,
    sort: str | None = None,
    reason: str | None = None,
    headings: Mapping[str, str] | None = None,
) -> ExportRecord:
    """Write a list under its filter to `out` and say what was written.

    The connection must hold one snapshot (the profile export.EXPORT); form comes from
    export.checked_form, which looks at the actor's role. Null filters = the whole list.
    """
    if name not in LISTS:
        raise BadInput(f"There is no list {name!r:.20}: give {', '.join(LISTS)}.", parameter="list")
    listed = LISTS[name]
    order = sort or next(iter(listed.sorts))
    given = filters or listed.filters()
    columns = export.columns_of(listed.row_class, headings)
    rows = listed.stream(conn, given, sort=order)
    written: Written = export.write(rows, columns, out, form)
    return ExportRecord(
        taken_at=now,
        actor=actor.name,
        role=actor.role,
        list_name=name,
        filters={k: v for k, v in dataclasses.asdict(given).items() if v not in (None, False)},
        sort=order,
        format=form.format,
        is_raw=form.is_raw,
        is_clear=form.is_clear,
        reason=(reason or "").strip() or None,
        row_count=written.row_count,
        byte_count=written.byte_count,
        sha256=written.sha256,
    )
