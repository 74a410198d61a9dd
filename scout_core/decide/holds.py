"""Holds: persons and source rows that no run writes or links until somebody releases them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from scout_core.access import permissions
from scout_core.access.note import checked_note
from scout_core.access.permissions import Actor
from scout_core.attribution import settle
from scout_core.db import sql
from scout_core.db.database import LOOK, Database
from scout_core.errors import NotFound, Refused
from scout_core.lists import filters
from scout_core.lists.paging import Key, Page, Sort, read_page
from scout_core.runs import runner
from scout_core.runs.record import Request, Trigger
from scout_core.runs.runner import Run

SUBJECTS = ("person", "source_row")
SORTS = {
    "newest": Sort(Key("hold_id", "integer")),
    "oldest": Sort(Key("hold_id", "integer"), is_descending=False),
}


@dataclass(frozen=True)
class Hold:
    """A hold. subject person: person_key; source_row: source_table and source_pk. run_id = the
    undo that made it, null when somebody held with SQL."""

    hold_id: int
    subject: str
    person_key: str | None
    source_table: str | None
    source_pk: str | None
    reason: str
    actor: str
    run_id: int | None
    held_at: datetime


@dataclass(frozen=True)
class ReleaseResult:
    """Holds that were released, and the run that did it."""

    run_id: int
    hold_ids: tuple[int, ...]
    is_attached: bool


def list_open(
    conn: Connection,
    *,
    subject: str | None = None,
    run_id: int | None = None,
    text: str | None = None,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
) -> Page[Hold]:
    """Holds that nobody has released: of a subject, of the undo that made them, of the beginning
    of a person key. Reads scout.holds."""
    filters.check_choice(subject, SUBJECTS, "subject")
    key_from, key_to = filters.key_range(text)
    return read_page(
        conn,
        sql.query("decide/holds", "list_open"),
        Hold,
        {"subject": subject, "run_id": run_id, "key_from": key_from, "key_to": key_to},
        sorts=SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
    )


def release(
    db: Database,
    *,
    actor: Actor,
    hold_id: int,
    reason: str,
    request_id: str | None = None,
    trigger: Trigger = "manual",
    requested_at: datetime | None = None,
) -> ReleaseResult:
    """Release one hold: the next run may write or link again. NotFound, Refused when it is
    released already."""
    permissions.require(actor, "release")
    words = checked_note(reason, "reason")
    with db.transaction(LOOK) as conn:
        row = conn.execute(sql.query("decide/holds", "by_id"), {"hold_id": hold_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no hold {hold_id}: `hold list` lists them.")
    return _release(db, actor, [hold_id], None, words, request_id, trigger, requested_at)


def release_of_run(
    db: Database,
    *,
    actor: Actor,
    run_id: int,
    reason: str,
    request_id: str | None = None,
    trigger: Trigger = "manual",
    requested_at: datetime | None = None,
) -> ReleaseResult:
    """Release all holds of one undo. Refused when none is open."""
    permissions.require(actor, "release")
    words = checked_note(reason, "reason")
    return _release(db, actor, [], run_id, words, request_id, trigger, requested_at)


def _release(
    db: Database,
    actor: Actor,
    hold_ids: list[int],
    of_run: int | None,
    reason: str,
    request_id: str | None,
    trigger: Trigger,
    requested_at: datetime | None,
) -> ReleaseResult:
    request = Request("review", actor, trigger, reason, False, request_id, requested_at)

    def work(run: Run) -> None:
        rows = run.all(
            "decide/holds/release", hold_ids=hold_ids, held_by_run_id=of_run, reason=reason
        )
        if not rows:
            raise Refused(
                f"Hold {hold_ids[0]} is released already."
                if hold_ids
                else f"Run {of_run} holds nothing."
            )
        released = sorted(row["hold_id"] for row in rows)
        run.stats["release"] = {"hold_ids": released}
        run.log_step("release", {"seen": len(rows), "changed": len(rows), "hold_ids": released})

    result = runner.finished(db, runner.work_run(db, request, work, max_rows=1))
    told = result.stats.get("release")
    if told is None:
        raise Refused(
            f"Run {result.run_id} of the same request released nothing: send it as a new request.",
            run_id=result.run_id,
        )
    settle.settle_soon(db)
    return ReleaseResult(result.run_id, tuple(told["hold_ids"]), result.is_attached)
