"""Undo of a run: what it wrote goes back to what was there, where nobody has changed it since.

Refreshes, decisions and reviews can be undone, once. Each thing that the run did is undone, was
changed later (told by whom), or was undone already. What was undone is held: no run writes these
persons or links these source rows again until the hold is released.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import Connection

from scout_core.access import permissions
from scout_core.access.note import checked_note
from scout_core.access.permissions import Actor
from scout_core.attribution import settle
from scout_core.db import sql
from scout_core.db.database import CHECK, Database
from scout_core.errors import NotFound, NothingToUndo, Refused, RunFailed
from scout_core.runs import runner
from scout_core.runs.record import Request, RunResult, Trigger
from scout_core.runs.runner import Run

ITEM_LIMIT = 100
BATCH_ROWS = 10_000
_WRITTEN = "observational.lead_ledger"
_LINKED = "canon.identity_links, canon.identity_unmatched"
_FOUNDED = "canon.identity_registry"


@dataclass(frozen=True)
class UndoItem:
    """One thing that the run did. subject: LEDGER (person_key, old and new scout), DECISION (one
    for what the ledger said already), LINK, DISMISSAL (source row). outcome: UNDO, CHANGED_LATER,
    ALREADY_UNDONE; later_*: who changed it since, null when no audit row says it."""

    subject: str
    outcome: str
    person_key: str | None
    source_table: str | None
    source_pk: str | None
    old_scout_id: int | None
    new_scout_id: int | None
    later_run_id: int | None
    later_actor: str | None
    later_method: str | None
    later_at: datetime | None


@dataclass(frozen=True)
class UndoPlan:
    """What undoing a run would do now. counts: subject -> outcome -> how many.

    items: the first of them, those that cannot be undone first. founded: persons that the run
    made and that are there; removable of them nothing else refers to. paid_*: persons among them
    who were paid for, a warning.
    """

    run_id: int
    kind: str
    status: str
    actor: str | None
    started_at: datetime
    counts: Mapping[str, Mapping[str, int]]
    items: tuple[UndoItem, ...]
    founded_count: int
    removable_count: int
    paid_persons: int
    paid_pen: Decimal | None

    def total(self, outcome: str) -> int:
        """How many things have this outcome."""
        return sum(by_outcome.get(outcome, 0) for by_outcome in self.counts.values())

    @property
    def is_empty(self) -> bool:
        """Whether the run did nothing that could be undone."""
        return not self.counts

    @property
    def is_partial(self) -> bool:
        """Whether something would stay, because it was changed since."""
        return self.total("CHANGED_LATER") > 0


@dataclass(frozen=True)
class UndoResult:
    """What an undo did: rows by what became of them. items: those that stay as they are, with who
    changed them; the first hundred."""

    run_id: int
    undone_run_id: int
    undone: int
    changed_later: int
    already_undone: int
    ledger_rows: int
    decisions: int
    links: int
    dismissals: int
    persons_removed: int
    persons_kept: int
    held_persons: int
    held_rows: int
    items: tuple[UndoItem, ...]
    is_attached: bool

    @property
    def is_partial(self) -> bool:
        """Whether something stays, because it was changed since."""
        return self.changed_later > 0


def preview(conn: Connection, run_id: int, *, limit: int = ITEM_LIMIT) -> UndoPlan:
    """What undoing this run would do now. Writes nothing. NotFound when no run of ours has the id.

    Reads scout.v_undo_persons, scout.v_undo_links and scout.v_founded_persons, which the undo
    itself reads too.
    """
    run = _query(conn, "run", run_id=run_id).mappings().one_or_none()
    if run is None or run["kind"] is None:
        raise NotFound(
            f"There is no run {run_id} of this product: `status` lists the last ones.",
            run_id=run_id,
        )
    counts: dict[str, dict[str, int]] = {}
    for row in _query(conn, "counts", run_id=run_id):
        counts.setdefault(row.subject, {})[row.outcome] = row.item_count
    founded = _query(conn, "founded", run_id=run_id).one()
    paid = _query(conn, "paid", run_id=run_id).one()
    return UndoPlan(
        run_id=run_id,
        kind=run["kind"],
        status=run["status"],
        actor=run["actor"],
        started_at=run["started_at"],
        counts=counts,
        items=_items(conn, run_id, limit),
        founded_count=founded.founded_count,
        removable_count=founded.removable_count,
        paid_persons=paid.person_count,
        paid_pen=paid.paid_pen,
    )


def run_undo(
    db: Database,
    *,
    actor: Actor,
    run_id: int,
    reason: str,
    request_id: str | None = None,
    trigger: Trigger = "manual",
    requested_at: datetime | None = None,
    max_rows: int = BATCH_ROWS,
) -> UndoResult:
    """Undo a run and tell item by item what became of it.

    PermissionDenied by role, BadInput for the reason, NotFound, Refused for a run at work or an
    undo, NothingToUndo when nothing of it is left. Commits every `max_rows`; killed in between, a
    second undo does the rest.
    """
    permissions.require(actor, "undo")
    words = checked_note(reason, "reason")
    request = Request("undo", actor, trigger, words, False, request_id, requested_at)
    known = runner.find_request(db, request)
    if known is not None:
        return _answer(db, known)
    with db.transaction(CHECK) as conn:
        _check(preview(conn, run_id, limit=0))

    def work(run: Run) -> None:
        _undo(run, run_id, words)

    result = runner.work_run(db, request, work, max_rows=max_rows)
    settle.settle_after(db)
    return _answer(db, result)


def _check(plan: UndoPlan) -> None:
    if plan.kind == "undo":
        raise Refused(
            f"Run {plan.run_id} is an undo, which is not undone: release its holds, and the next "
            "run writes again what the rules say.",
            run_id=plan.run_id,
        )
    if plan.kind == "erase":
        raise Refused(
            f"Run {plan.run_id} erased a person, which cannot be undone: nothing of it was kept.",
            run_id=plan.run_id,
        )
    if plan.status == "RUNNING":
        raise Refused(
            f"Run {plan.run_id} is still at work: undo it when it has ended.", run_id=plan.run_id
        )
    if plan.is_empty:
        raise NothingToUndo(
            f"Run {plan.run_id} wrote no scout, link or decision: there is nothing to undo.",
            run_id=plan.run_id,
        )
    # an undo that died may have left the persons that the run made
    if not plan.total("UNDO") and not plan.total("CHANGED_LATER") and not plan.removable_count:
        raise NothingToUndo(
            f"Run {plan.run_id} was undone already: nothing of it is left.", run_id=plan.run_id
        )


def _undo(run: Run, target: int, reason: str) -> None:
    # two undos of the same run do not meet: one holds the lock of the job
    _check(preview(run.conn, target, limit=0))
    kept = _items(run.conn, target, ITEM_LIMIT, is_left_only=True)
    done: dict[str, int] = dict.fromkeys(
        ("undone", "changed_later", "already_undone", "ledger", "decision", "held_persons"), 0
    )
    after: object = None
    ends = run.all("decide/undo/list_batch_ends", target_run_id=target, row_limit=run.max_rows)
    for end in ends:
        if run.changed_in_batch:
            run.next_batch()
        span = {"target_run_id": target, "after_key": after, "upto_key": end["person_key"]}
        batch = run.unless_written(partial(_undo_persons, run, span, reason), _WRITTEN)
        _require_whole(batch, run.run_id)
        after = end["person_key"]
        run.changed_in_batch += batch["undone_count"]
        for name in ("undone", "changed_later", "already_undone", "ledger", "decision"):
            done[name] += batch[f"{name}_count"]
        done["held_persons"] += batch["held_count"]
        run.report("ledger", done["undone"], end["person_count"])
    links = dict.fromkeys(("undone", "changed_later", "already_undone", "link", "dismissal"), 0)
    held_rows, after_id = 0, 0
    for end in run.all("decide/undo/list_link_ends", target_run_id=target, row_limit=run.max_rows):
        if run.changed_in_batch:
            run.next_batch()
        batch = run.one_unless_written(
            "decide/undo/undo_links",
            _LINKED,
            target_run_id=target,
            after_id=after_id,
            upto_id=end["audit_id"],
            reason=reason,
        )
        _require_whole(batch, run.run_id)
        after_id = end["audit_id"]
        run.changed_in_batch += batch["undone_count"]
        for name in links:
            links[name] += batch[f"{name}_count"]
        held_rows += batch["held_count"]
        run.report("links", links["undone"], end["row_count"])
    persons = run.one_unless_written("decide/undo/remove_persons", _FOUNDED, target_run_id=target)
    told = {
        "undone_run_id": target,
        "undone": done["undone"] + links["undone"],
        "changed_later": done["changed_later"] + links["changed_later"],
        "already_undone": done["already_undone"] + links["already_undone"],
        "ledger_rows": done["ledger"],
        "decisions": done["decision"],
        "links": links["link"],
        "dismissals": links["dismissal"],
        "persons_removed": persons["removed_count"],
        "persons_kept": persons["kept_count"],
        "held_persons": done["held_persons"] - persons["released_count"],
        "held_rows": held_rows,
    }
    run.stats["undo"] = told | {"items": [_stored(item) for item in kept]}
    run.log_step("undo", told)


def _undo_persons(run: Run, span: Mapping[str, Any], reason: str) -> dict[str, Any]:
    run.one("decide/undo/lock_persons", **span)
    return run.one("decide/undo/undo_persons", **span, reason=reason)


def _require_whole(batch: Mapping[str, Any], run_id: int) -> None:
    """What the plan says can be undone was undone: a row that slipped away would leave no trace."""
    if batch["undone_count"] != batch["wanted_count"]:
        raise RunFailed(
            f"{batch['wanted_count'] - batch['undone_count']} rows changed while they were being "
            "undone, nothing of this batch was kept: start the undo again.",
            run_id=run_id,
        )


def _answer(db: Database, given: RunResult) -> UndoResult:
    result = runner.finished(db, given)
    told: dict[str, Any] | None = result.stats.get("undo")
    if told is None or result.status != "COMPLETED":
        raise Refused(
            f"Run {result.run_id} of the same request undid nothing: send it as a new request.",
            run_id=result.run_id,
        )
    items = tuple(_restored(item) for item in told["items"])
    counts = {name: value for name, value in told.items() if name != "items"}
    return UndoResult(run_id=result.run_id, items=items, is_attached=result.is_attached, **counts)


def _items(
    conn: Connection, run_id: int, limit: int, *, is_left_only: bool = False
) -> tuple[UndoItem, ...]:
    rows = _query(conn, "items", run_id=run_id, row_limit=limit).mappings()
    items = (UndoItem(**row) for row in rows)
    return tuple(item for item in items if item.outcome != "UNDO" or not is_left_only)


def _stored(item: UndoItem) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in vars(item).items()
    }


def _restored(values: Mapping[str, Any]) -> UndoItem:
    at = values["later_at"]
    return UndoItem(**{**values, "later_at": None if at is None else datetime.fromisoformat(at)})


def _query(conn: Connection, name: str, **parameters: object) -> Any:
    return conn.execute(sql.query("decide/undo", name), parameters)
