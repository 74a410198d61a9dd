"""One way for a list to leave, whoever asks: written from one snapshot, and kept who took what.

record = export_to(db, db, "conflicts", filters, out, form, actor=..., via="cli", now=...)
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from scout_core.access import permissions
from scout_core.access.denials import Via
from scout_core.access.note import optional_note
from scout_core.access.permissions import Actor
from scout_core.db import sql
from scout_core.db.database import CONTROL, Database
from scout_core.errors import BadInput, DatabaseReadOnly, ScoutError
from scout_core.export.lists import LISTS, ExportRecord, export_list
from scout_core.export.writer import EXPORT, Form


@dataclass
class _Watched:
    """A file on its way, and how much of it went out."""

    out: BinaryIO
    byte_count: int = 0

    def write(self, data: bytes) -> int:
        self.out.write(data)
        self.byte_count += len(data)
        return len(data)


def export_to(
    read_from: Database,
    write_to: Database,
    name: str,
    filters: Any,
    out: BinaryIO,
    form: Form,
    *,
    actor: Actor,
    via: Via,
    now: datetime,
    sort: str | None = None,
    reason: str | None = None,
    headings: Mapping[str, str] | None = None,
) -> ExportRecord:
    """Write a list under its filter to `out`, row by row from one snapshot, and keep that it left:
    also when the reader leaves or the database fails in between.

    Nothing is written where that could not be kept: DatabaseReadOnly. PermissionDenied by role.
    """
    permissions.require(actor, "export_clear" if form.is_clear else "export")
    if name not in LISTS:
        raise BadInput(f"There is no list {name!r:.20}: give {', '.join(LISTS)}.", parameter="list")
    with write_to.transaction(CONTROL) as conn:
        if (
            conn.execute(sql.query("export/delivery", "can_keep"), {"reason": reason})
            .one()
            .is_read_only
        ):
            raise DatabaseReadOnly(
                "The database is read-only, so it could not be kept who took this file: export "
                "from the primary."
            )
    words = optional_note(reason)
    watched = _Watched(out)
    given = filters or LISTS[name].filters()
    order = sort or next(iter(LISTS[name].sorts))
    kept = {
        "actor": actor.name,
        "role": actor.role,
        "via": via,
        "list_name": name,
        "filters": json.dumps(kept_filters(name, given), default=str, ensure_ascii=False),
        "sort": order,
        "format": form.format,
        "is_raw": form.is_raw,
        "is_clear": form.is_clear,
        "reason": words,
    }
    try:
        with read_from.transaction(EXPORT) as conn:
            record = export_list(
                conn,
                name,
                given,
                watched,  # type: ignore[arg-type]  # all that the writer asks of a file
                form,
                actor=actor,
                now=now,
                sort=order,
                reason=reason,
                headings=headings,
            )
    except BaseException:
        if watched.byte_count:
            _keep_cut(write_to, kept, watched.byte_count)
        raise
    done = {
        "row_count": record.row_count,
        "byte_count": record.byte_count,
        "sha256": record.sha256,
        "is_complete": True,
    }
    _keep(write_to, kept | done)
    return record


def kept_filters(name: str, filters: Any) -> dict[str, Any]:
    """The filters that were set: numbers, days, flags and choices as they are; of typed text only
    that there was one."""
    found = {}
    for field, value in vars(filters).items():
        if value in (None, False):
            continue
        is_typed = isinstance(value, str) and value not in LISTS[name].choices.get(field, ())
        found[field] = True if is_typed else value
    return found


def _keep(db: Database, values: Mapping[str, Any]) -> None:
    with db.transaction(CONTROL) as conn:
        conn.execute(sql.query("export/delivery", "record"), values)


def _keep_cut(db: Database, kept: Mapping[str, Any], byte_count: int) -> None:
    cut = {"row_count": None, "byte_count": byte_count, "sha256": None, "is_complete": False}
    try:
        _keep(db, {**kept, **cut})
    except ScoutError:
        return  # what went wrong first is told
