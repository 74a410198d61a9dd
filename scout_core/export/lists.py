"""Which lists can be exported, and one export of a list from its filter to its record."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from sqlalchemy import Connection

from scout_core.access.note import optional_note
from scout_core.access.permissions import Actor
from scout_core.attribution import backlog, conflicts
from scout_core.errors import BadInput
from scout_core.export import writer
from scout_core.export.writer import Form, Written
from scout_core.health import source_checks
from scout_core.lists.filters import EVIDENCE_SOURCES
from scout_core.lists.paging import Sort
from scout_core.money import collection, liquidation
from scout_core.runs import audit, history


@dataclass(frozen=True)
class ExportList:
    """A list that can be exported; stream gives the values of its rows in order.

    address: where the API has it, below /api/v1. parameters: filter -> its name there, where that
    is another one. choices: filter -> what it may be; other texts are typed.
    """

    address: str
    stream: Callable[..., Iterator[tuple[Any, ...]]]
    row_class: type
    filters: type
    sorts: Mapping[str, Sort]
    choices: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, str] = field(default_factory=dict)


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
        "/scouts/attribution/conflicts",
        conflicts.stream_open,
        conflicts.ExportedConflict,
        conflicts.ConflictFilters,
        conflicts.SORTS,
        {"conflict_kind": conflicts.KINDS, "source": EVIDENCE_SOURCES},
    ),
    "backlog": ExportList(
        "/scouts/attribution/backlog",
        backlog.stream_missing,
        backlog.ExportedPerson,
        backlog.BacklogFilters,
        backlog.SORTS,
        {"category": backlog.CATEGORIES, "reason_code": tuple(backlog.REASONS)},
    ),
    "collection": ExportList(
        "/yango/cabinet/collection-with-scout",
        collection.stream_claims,
        collection.Claim,
        collection.CollectionFilters,
        collection.SORTS,
        {
            "bucket": collection.BUCKETS,
            "overdue_bucket": collection.OVERDUE_BUCKETS,
            "payment_status": collection.PAYMENT_STATUSES,
        },
        {"missing_only": "scout_missing_only"},
    ),
    "liquidation": ExportList(
        "/scouts/liquidation/base",
        liquidation.stream_base,
        liquidation.Payable,
        liquidation.LiquidationFilters,
        liquidation.SORTS,
        {
            "payment_status": liquidation.PAYMENT_STATUSES,
            "block_reason": liquidation.BLOCK_REASONS,
        },
    ),
    "runs": ExportList(
        "/scouts/attribution/runs",
        history.stream_runs,
        history.ExportedRun,
        history.RunFilters,
        history.SORTS,
        {"kind": history.KINDS, "status": history.STATUSES, "trigger": history.TRIGGERS},
    ),
    "audit": ExportList(
        "/scouts/attribution/audit",
        audit.stream_rows,
        audit.AuditRow,
        audit.ExportedAudit,
        audit.SORTS,
        {"table": tuple(audit.TABLES), "method": audit.ALL_METHODS},
    ),
    "quality": ExportList(
        "/scouts/attribution/quality/rows",
        source_checks.stream_rows,
        source_checks.QualityRow,
        source_checks.QualityFilters,
        source_checks.SORTS,
        {"check": source_checks.CHECK_NAMES},
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
    words = optional_note(reason)
    listed = LISTS[name]
    order = sort or next(iter(listed.sorts))
    given = filters or listed.filters()
    columns = writer.columns_of(listed.row_class, headings)
    rows = listed.stream(conn, given, sort=order)
    written: Written = writer.write(rows, columns, out, form)
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
        reason=words,
        row_count=written.row_count,
        byte_count=written.byte_count,
        sha256=written.sha256,
    )
