"""Decisions about persons: assign a scout, decide for none, reopen; one person or many at once.

Each is a run. What was decided stands until new evidence, a change of the ledger with SQL, or a
reopening; the job never writes over it. `seen` is the fingerprint of the evidence that was on
screen: when it is another one by then, nothing is written and the new evidence is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from scout_core.access import permissions
from scout_core.access.note import checked_note
from scout_core.access.permissions import Actor
from scout_core.attribution import fingerprint, settle, stakes
from scout_core.db import sql
from scout_core.db.database import LOOK, Database
from scout_core.decide.reasons import STRONG_CODES, Outcome, checked_code, checked_outcome
from scout_core.errors import (
    BadInput,
    ChangedMeanwhile,
    NotFound,
    Refused,
)
from scout_core.lists import filters
from scout_core.runs import runner
from scout_core.runs.record import Request, RunResult, Trigger
from scout_core.runs.runner import Run

MAX_PERSONS = 1000
_WRITTEN = "observational.lead_ledger"


@dataclass(frozen=True)
class Candidate:
    """A person as somebody who decides has to know. seen goes back with the decision.

    why_not null = it can be decided so; else NOT_REGISTERED, NOT_IN_EVIDENCE, UNKNOWN_SCOUT,
    ALREADY_DECIDED, NOTHING_TO_REOPEN or, for many at once, NO_OPEN_CONFLICT. paid_pen: what the
    liquidation ledger already paid for the person, a warning and no obstacle.
    """

    person_key: str
    seen: str | None
    conflict_kind: str | None
    ledger_scout_id: int | None
    scout_ids: tuple[int, ...]
    paid_pen: Decimal | None
    is_held: bool
    why_not: str | None


@dataclass(frozen=True)
class Decided:
    """A person who was decided. is_ledger_changed false = the ledger said it already."""

    person_key: str
    decision_id: int
    old_scout_id: int | None
    is_ledger_changed: bool


@dataclass(frozen=True)
class DecisionResult:
    """What a decision did. skipped: person key -> why it was not decided. paid: person key ->
    soles that the liquidation ledger had already paid for the person."""

    run_id: int
    outcome: str
    scout_id: int | None
    reason_code: str
    decided: tuple[Decided, ...]
    skipped: Mapping[str, str]
    paid: Mapping[str, Decimal]
    is_attached: bool


def preview_many(
    conn: Connection,
    person_keys: Sequence[str],
    *,
    outcome: str,
    scout_id: int | None = None,
    reason_code: str | None = None,
) -> tuple[Candidate, ...]:
    """Each of these persons: whether it can be decided so in bulk, and why not. In their order."""
    checked = checked_outcome(outcome)
    _check_scout(checked, scout_id)
    keys = _keys(person_keys)
    return _candidates(
        conn, keys, checked, scout_id, is_strong=reason_code in STRONG_CODES, is_bulk=True
    )


def preview(
    conn: Connection, person_key: str, *, outcome: str, scout_id: int | None = None
) -> Candidate:
    """One person: whether it can be decided so, and why not. NotFound when nobody has the key."""
    checked = checked_outcome(outcome)
    _check_scout(checked, scout_id)
    key = fingerprint.checked_key(person_key)
    (found,) = _candidates(conn, (key,), checked, scout_id, is_strong=True, is_bulk=False)
    if found.why_not == "NOT_REGISTERED":
        raise _nobody(key)
    return found


def decide(
    db: Database,
    *,
    actor: Actor,
    person_key: str,
    outcome: str,
    reason_code: str,
    note: str,
    seen: str,
    scout_id: int | None = None,
    request_id: str | None = None,
    trigger: Trigger = "manual",
    requested_at: datetime | None = None,
) -> DecisionResult:
    """Decide about one person.

    ASSIGN gives the ledger a scout of the evidence, or any known one with a reason of
    STRONG_CODES; NO_SCOUT leaves or makes it empty; REOPEN gives it back what it had before the
    decision in force, and the rules apply again. PermissionDenied by role, BadInput for a reason
    or note that cannot be, NotFound, ChangedMeanwhile with the new evidence.
    """
    permissions.require(actor, "decide")
    checked = checked_outcome(outcome)
    _check_scout(checked, scout_id)
    code, words = checked_code(checked, reason_code), checked_note(note)
    key = fingerprint.checked_key(person_key)
    shown = fingerprint.checked_seen(seen)
    request = Request("decision", actor, trigger, words, False, request_id, requested_at)
    known = runner.find_request(db, request)
    if known is not None:
        return _answer(db, known)
    with db.transaction(LOOK) as conn:
        (found,) = _candidates(
            conn, (key,), checked, scout_id, is_strong=code in STRONG_CODES, is_bulk=False
        )
        if found.why_not == "NOT_REGISTERED":
            raise _nobody(key)
        if found.seen != shown:
            raise _changed(conn, found)
        _refuse(found, scout_id)
    return _run(db, request, checked, scout_id, code, words, {key: shown}, is_bulk=False)


def decide_many(
    db: Database,
    *,
    actor: Actor,
    persons: Mapping[str, str],
    outcome: str,
    reason_code: str,
    note: str,
    scout_id: int | None = None,
    request_id: str | None = None,
    trigger: Trigger = "manual",
    requested_at: datetime | None = None,
) -> DecisionResult:
    """Decide the same about many persons (key -> seen) as one run, which one undo takes back.

    Those that do not qualify, or changed meanwhile, are skipped and told. Refused when none is
    left.
    """
    permissions.require(actor, "decide")
    checked = checked_outcome(outcome)
    _check_scout(checked, scout_id)
    code, words = checked_code(checked, reason_code), checked_note(note)
    seens = dict(
        zip(_keys(tuple(persons)), map(fingerprint.checked_seen, persons.values()), strict=True)
    )
    request = Request("decision", actor, trigger, words, False, request_id, requested_at)
    known = runner.find_request(db, request)
    if known is not None:
        return _answer(db, known)
    with db.transaction(LOOK) as conn:
        found = _candidates(
            conn, tuple(seens), checked, scout_id, is_strong=code in STRONG_CODES, is_bulk=True
        )
    skipped = {c.person_key: c.why_not for c in found if c.why_not is not None}
    skipped |= {
        c.person_key: "CHANGED_MEANWHILE"
        for c in found
        if c.why_not is None and c.seen != seens[c.person_key]
    }
    left = {key: seen for key, seen in seens.items() if key not in skipped}
    if not left:
        raise Refused(
            f"None of the {len(seens):,} persons can be decided so: look at the preview again.",
            skipped=skipped,
        )
    return _run(db, request, checked, scout_id, code, words, left, is_bulk=True, skipped=skipped)


def _run(
    db: Database,
    request: Request,
    outcome: Outcome,
    scout_id: int | None,
    code: str,
    note: str,
    seens: Mapping[str, str],
    *,
    is_bulk: bool,
    skipped: Mapping[str, str] | None = None,
) -> DecisionResult:
    keys = list(seens)
    step = (
        "decide/decisions/reopen_persons"
        if outcome == "REOPEN"
        else "decide/decisions/decide_persons"
    )

    def write(run: Run) -> list[dict[str, Any]]:
        run.one("decide/decisions/lock_persons", person_keys=keys)
        runner.at("before decision")
        return run.all(
            step,
            person_keys=keys,
            seens=list(seens.values()),
            outcome=outcome,
            scout_id=scout_id,
            reason_code=code,
            note=note,
        )

    def work(run: Run) -> None:
        rows = run.unless_written(lambda: write(run), _WRITTEN)
        decided = [Decided(**row) for row in rows]
        done = {row.person_key for row in decided}
        late = {key: "CHANGED_MEANWHILE" for key in keys if key not in done}
        if late and not (is_bulk and decided):
            (found,) = _candidates(
                run.conn, tuple(late)[:1], outcome, scout_id, is_strong=True, is_bulk=False
            )
            raise _changed(run.conn, found)
        paid = {
            key: amount
            for key, m in stakes.by_person(run.conn, done).items()
            if (amount := m.paid_pen) is not None
        }
        run.stats["decision"] = {
            "outcome": outcome,
            "scout_id": scout_id,
            "reason_code": code,
            "decided": [asdict(row) for row in decided],
            "skipped": {**(skipped or {}), **late},
            "paid": {key: str(amount) for key, amount in paid.items()},
        }
        run.log_step(
            "decide",
            {
                "seen": len(keys) + len(skipped or {}),
                "changed": len(decided),
                "ledger_rows": sum(row.is_ledger_changed for row in decided),
                "skipped": _by_reason({**(skipped or {}), **late}),
            },
        )

    result = runner.work_run(db, request, work, max_rows=MAX_PERSONS)
    settle.settle_soon(db, max_batches=2)
    return _answer(db, result)


def _answer(db: Database, given: RunResult) -> DecisionResult:
    result = runner.finished(db, given)
    told: dict[str, Any] | None = result.stats.get("decision")
    if told is None or result.status != "COMPLETED":
        raise Refused(
            f"Run {result.run_id} of the same request decided nothing: look at the evidence and "
            "send it as a new request.",
            run_id=result.run_id,
        )
    return DecisionResult(
        run_id=result.run_id,
        outcome=told["outcome"],
        scout_id=told["scout_id"],
        reason_code=told["reason_code"],
        decided=tuple(Decided(**row) for row in told["decided"]),
        skipped=told["skipped"],
        paid={key: Decimal(amount) for key, amount in told["paid"].items()},
        is_attached=result.is_attached,
    )


def _candidates(
    conn: Connection,
    keys: Sequence[str],
    outcome: Outcome,
    scout_id: int | None,
    *,
    is_strong: bool,
    is_bulk: bool,
) -> tuple[Candidate, ...]:
    rows = conn.execute(
        sql.query("decide/decisions", "persons"), {"person_keys": list(keys)}
    ).mappings()
    found: dict[str, Mapping[str, Any]] = {row["person_key"]: dict(row) for row in rows}
    paid = stakes.by_person(conn, found)
    is_known = (
        scout_id is None
        or conn.execute(
            sql.query("decide/decisions", "is_known"), {"scout_id": scout_id}
        ).scalar_one()
    )
    return tuple(
        Candidate(key, None, None, None, (), None, False, "NOT_REGISTERED")
        if key not in found
        else Candidate(
            person_key=key,
            seen=found[key]["seen"],
            conflict_kind=found[key]["conflict_kind"],
            ledger_scout_id=found[key]["ledger_scout_id"],
            scout_ids=tuple(found[key]["scout_ids"]),
            paid_pen=paid[key].paid_pen,
            is_held=found[key]["is_held"],
            why_not=_why_not(
                found[key],
                outcome,
                scout_id,
                is_strong=is_strong,
                is_bulk=is_bulk,
                is_known=is_known,
            ),
        )
        for key in keys
    )


def _why_not(
    row: Mapping[str, Any],
    outcome: Outcome,
    scout_id: int | None,
    *,
    is_strong: bool,
    is_bulk: bool,
    is_known: bool,
) -> str | None:
    if outcome == "REOPEN":
        return "NOTHING_TO_REOPEN" if row["decision_id"] is None else None
    is_same = (row["decision_outcome"], row["decision_scout_id"]) == (outcome, scout_id)
    if is_same and row["conflict_kind"] is None:
        return "ALREADY_DECIDED"
    if is_bulk and row["conflict_kind"] is None:
        return "NO_OPEN_CONFLICT"
    if scout_id is not None and scout_id not in row["scout_ids"]:
        if not is_strong:
            return "NOT_IN_EVIDENCE"
        if not is_known:
            return "UNKNOWN_SCOUT"
    return None


def _refuse(found: Candidate, scout_id: int | None) -> None:
    """Say why one person cannot be decided so; nothing when it can."""
    key = found.person_key
    if found.why_not == "NOTHING_TO_REOPEN":
        raise Refused(f"{key} has no decision in force: there is nothing to reopen.")
    if found.why_not == "ALREADY_DECIDED":
        raise Refused(f"{key} was decided just so already, and no new evidence speaks against it.")
    if found.why_not == "NOT_IN_EVIDENCE":
        raise BadInput(
            f"No evidence of {key} names scout {scout_id}: give one of "
            f"{', '.join(map(str, found.scout_ids)) or 'none'}, or a stronger reason: "
            f"{', '.join(STRONG_CODES)}.",
            parameter="reason_code",
            allowed=f"one of {', '.join(STRONG_CODES)} for a scout whom no evidence names",
        )
    if found.why_not == "UNKNOWN_SCOUT":
        raise BadInput(
            f"Scout {scout_id} is not in the list of scouts and no evidence names it: check the "
            "number.",
            parameter="scout_id",
            allowed="a scout of the evidence or of the list of scouts",
        )


def _changed(conn: Connection, now: Candidate) -> ChangedMeanwhile:
    rows = conn.execute(
        sql.query("decide/decisions", "evidence"), {"person_key": now.person_key}
    ).mappings()
    return ChangedMeanwhile(
        f"The evidence of {now.person_key} changed meanwhile, or somebody else decided: nothing "
        "was written. Look at it again, then decide.",
        person_key=now.person_key,
        seen=now.seen,
        conflict_kind=now.conflict_kind,
        ledger_scout_id=now.ledger_scout_id,
        scout_ids=now.scout_ids,
        evidence=[dict(row) for row in rows],
    )


def _nobody(key: str) -> NotFound:
    return NotFound(
        f"Nobody is registered under {key}: check the key against "
        "canon.identity_registry.person_key."
    )


def _check_scout(outcome: Outcome, scout_id: int | None) -> None:
    filters.check_scout(scout_id)
    if (outcome == "ASSIGN") != (scout_id is not None):
        raise BadInput(
            "ASSIGN needs a scout_id, NO_SCOUT and REOPEN have none.",
            parameter="scout_id",
            allowed="given with ASSIGN and with nothing else",
        )


def _keys(person_keys: Sequence[str]) -> tuple[str, ...]:
    keys = tuple(fingerprint.checked_key(key) for key in person_keys)
    if not 1 <= len(keys) <= MAX_PERSONS or len(set(keys)) != len(keys):
        raise BadInput(
            f"Give 1 to {MAX_PERSONS:,} persons, each once; there are {len(keys):,}.",
            parameter="person_keys",
        )
    return keys


def _by_reason(skipped: Mapping[str, str]) -> dict[str, int]:
    reasons = sorted(skipped.values())
    return {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
