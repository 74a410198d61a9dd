"""Erasing a person (Ley 29733): their values go, keys stay, and what only the owner can delete is
named.

Phone, licence, document and name leave the registry; evidence that the owner wrote into the ledger
and what was kept of it, and excerpts of bad values go; views show none of it any more, whatever the
sources hold. Scout, decisions, audit and seals stay: they hold keys, rules and counts. The erasure
is a run of its own, which cannot be undone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from scout_core.access import permissions
from scout_core.access.note import checked_note
from scout_core.access.permissions import Actor
from scout_core.attribution import fingerprint, settle
from scout_core.db import sql
from scout_core.db.database import CHECK, Database
from scout_core.errors import NotFound, Refused, RunBusy
from scout_core.runs import lock, runner
from scout_core.runs.record import Request, RunResult, Trigger
from scout_core.runs.runner import Run

MAX_LEFT = 1000
# what the plan counts and the run erases, in this order
PARTS = (
    "registry_rows",
    "ledger_rows",
    "kept_evidence",
    "excerpts",
    "quality_rows",
    "unmatched_rows",
    "held_rows",
)
_WRITTEN = "canon.identity_registry, observational.lead_ledger, canon.identity_unmatched"


@dataclass(frozen=True)
class LeftRow:
    """A row that names the person and that the product cannot erase. what: ROW (delete it, or empty
    phone, licence and name), PAYLOAD (look what the payload holds), EVIDENCE (of a link of
    others), AUDIT (of an older version: sealed, it stays)."""

    source_table: str
    source_pk: str
    what: str


@dataclass(frozen=True)
class ErasurePlan:
    """What erasing a person would do now. counts: part -> rows, by PARTS. left: what the owner has
    to delete, at most MAX_LEFT. note_run_ids: runs with a reason or note about the person; sealed,
    they stay. erased_at: the last erasure; null = none yet."""

    person_key: str
    erased_at: datetime | None
    counts: Mapping[str, int]
    left: tuple[LeftRow, ...]
    note_run_ids: tuple[int, ...]

    @property
    def is_done(self) -> bool:
        """Whether the person was erased and nothing has come back."""
        return self.erased_at is not None and not any(self.counts.values())


@dataclass(frozen=True)
class Erasure:
    """What an erasure did, as in its plan; run_id null = there was nothing left to do."""

    run_id: int | None
    person_key: str
    counts: Mapping[str, int]
    left: tuple[LeftRow, ...]
    note_run_ids: tuple[int, ...]
    is_attached: bool


def preview(conn: Connection, person_key: str) -> ErasurePlan:
    """What erasing this person would do now. Writes nothing. NotFound when nobody has the key."""
    key = fingerprint.checked_key(person_key)
    row = _query(conn, "plan", key).mappings().one()
    if not row["person_count"]:
        raise NotFound(f"Nobody is registered under {key}: look the person up again.")
    return ErasurePlan(
        person_key=key,
        erased_at=row["erased_at"],
        counts={part: row[part] for part in PARTS},
        left=_left(conn, key),
        note_run_ids=tuple(_query(conn, "notes", key).scalar_one()),
    )


def erase(
    db: Database,
    *,
    actor: Actor,
    person_key: str,
    reason: str,
    request_id: str | None = None,
    trigger: Trigger = "manual",
    requested_at: datetime | None = None,
) -> Erasure:
    """Erase a person; a second time only what has come back since.

    PermissionDenied by role, BadInput for key or reason, NotFound, RunBusy while a refresh works:
    it may be about to register the very values.
    """
    permissions.require(actor, "erase")
    words = checked_note(reason, "reason")
    key = fingerprint.checked_key(person_key)
    request = Request("erase", actor, trigger, words, False, request_id, requested_at)
    known = runner.find_request(db, request)
    if known is not None:
        return _answer(db, known, key)
    with db.transaction(CHECK) as conn:
        plan = preview(conn, key)
    if plan.is_done:
        return Erasure(None, key, plan.counts, plan.left, plan.note_run_ids, False)
    result = runner.work_run(db, request, lambda run: _erase(run, key), max_rows=1)
    settle.settle_after(db)
    return _answer(db, result, key)


def _erase(run: Run, key: str) -> None:
    if not lock.try_lock(run.conn, "refresh"):
        raise RunBusy("A refresh is at work: erase the person when it has ended.", run_id=None)
    counts = run.unless_written(lambda: _erase_rows(run, key), _WRITTEN)
    run.stats["erase"] = {"person_key": key, **counts}
    run.log_step("erase", {"seen": 1, "changed": 1, "person_key": key, **counts})


def _erase_rows(run: Run, key: str) -> dict[str, int]:
    if not run.one("decide/decisions/lock_persons", person_keys=[key])["person_count"]:
        raise NotFound(f"Nobody is registered under {key}: look the person up again.")
    # the rows that share a key are told by the key, the plan of a dead run as well
    counts = run.one("decide/erasure/hold_rows", person_key=key)
    counts |= run.one("decide/erasure/erase_person", person_key=key)
    counts |= run.one("decide/erasure/erase_registry", person_key=key)
    return {part: counts[part] for part in PARTS}


def _answer(db: Database, given: RunResult, key: str) -> Erasure:
    result = runner.finished(db, given)
    told: dict[str, Any] | None = result.stats.get("erase")
    if told is None or result.status != "COMPLETED" or told["person_key"] != key:
        raise Refused(
            f"Run {result.run_id} of the same request did not erase this person: send it as a new "
            "request.",
            run_id=result.run_id,
        )
    with db.transaction(CHECK) as conn:
        left, notes = _left(conn, key), tuple(_query(conn, "notes", key).scalar_one())
    counts = {part: told[part] for part in PARTS}
    return Erasure(result.run_id, key, counts, left, notes, result.is_attached)


def _left(conn: Connection, key: str) -> tuple[LeftRow, ...]:
    rows = _query(conn, "left", key, row_limit=MAX_LEFT).mappings()
    return tuple(LeftRow(**row) for row in rows)


def _query(conn: Connection, name: str, key: str, **more: object) -> Any:
    return conn.execute(sql.query("decide/erasure", name), {"person_key": key, **more})
