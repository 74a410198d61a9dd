"""Decisions, reviews and undo in plain Python: what each changes, and what it refuses."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime

from tests.model.identity import free_key, names_scout, put_link
from tests.model.keys import license_key, phone_key
from tests.model.persons import decision_in_force, list_states
from tests.model.world import (
    EXTERNAL,
    MANUAL,
    REVERT,
    SCOUTING,
    AuditRow,
    Decision,
    LedgerRow,
    Link,
    LinkWrite,
    Person,
    Run,
    Unmatched,
    World,
)


class RefusedByModel(Exception):
    """The product must refuse this too."""


def decide(world: World, person_key: str, kind: str, scout_id: int | None) -> Run:
    """Assign, decide for none, or reopen."""
    state = list_states(world)[person_key]
    before = world.ledger_scout(person_key)
    considered = frozenset(state.other_scouts | ({before} if before is not None else set()))
    run = world.start_run("decision")
    if kind == "REOPEN":
        _reopen(world, run, person_key)
    else:
        standing = state.decision
        is_same = standing is not None and (standing.kind, standing.scout_id) == (kind, scout_id)
        if is_same and state.conflict_kind is None:
            raise RefusedByModel
        if scout_id is not None and scout_id not in considered and not world.is_known(scout_id):
            raise RefusedByModel
        if before != scout_id:
            old = deepcopy(world.ledger.get(person_key))
            row = deepcopy(old) or LedgerRow(person_key, None, _now(), score="1.00")
            row.scout_id, row.rule, row.source = scout_id, MANUAL, MANUAL
            row.confidence = "high"
            row.status = "unassigned" if scout_id is None else "assigned"
            world.ledger[person_key] = row
            _note(world, run, person_key, MANUAL, old)
    _decide(world, run, Decision(person_key, kind, scout_id, considered, 0, before=before))
    return run


def _reopen(world: World, run: Run, person_key: str) -> None:
    standing = decision_in_force(world, person_key)
    if standing is None:
        raise RefusedByModel
    if standing.before == standing.scout_id:
        return
    own = [
        a
        for a in world.audit_of(person_key)
        if a.method in (MANUAL, REVERT) and (a.old, a.new) == (standing.before, standing.scout_id)
    ]
    wrote, present = own[-1], deepcopy(world.ledger.get(person_key))
    wanted = deepcopy(wrote.old_row)
    if present is None and (wanted is None or wanted.scout_id is None):
        return
    _put(world, person_key, wanted)
    wrote.is_undone = True
    _note(world, run, person_key, REVERT, present)


def undo(world: World, target: Run) -> Run:
    """Take back what a run wrote and decided, link by link, person by person."""
    run = world.start_run("undo")
    for person_key in sorted({a.person_key for a in target.audit}
                             | {d.person_key for d in target.decisions}):  # fmt: skip
        _undo_person(world, run, target, person_key)
    for written in target.links:
        _undo_link(world, written)
    for written in target.links:
        if written.is_founder and not _is_used(world, written.person_key):
            world.persons.pop(written.person_key, None)
            world.held_persons.discard(written.person_key)
    return run


def what_undo_does(world: World, target: Run) -> dict[str, int]:
    """How many persons and source rows of a run are undone, were changed later, were undone."""
    found = {"UNDO": 0, "CHANGED_LATER": 0, "ALREADY_UNDONE": 0}
    for person_key in {a.person_key for a in target.audit} | {
        d.person_key for d in target.decisions
    }:
        found[_outcome(world, target, person_key)] += 1
    for written in target.links:
        found[_link_outcome(world, written)] += 1
    return found


def is_refused(world: World, target: Run) -> bool:
    """Nothing is left to undo."""
    found = what_undo_does(world, target)
    left = found["UNDO"] + found["CHANGED_LATER"]
    gone = [w for w in target.links if w.is_founder and w.person_key in world.persons]
    return not left and not any(not _is_used(world, w.person_key) for w in gone)


def _parts(target: Run, person_key: str) -> tuple[AuditRow | None, Decision | None]:
    audit = next((a for a in target.audit if a.person_key == person_key), None)
    return audit, next((d for d in target.decisions if d.person_key == person_key), None)


def _outcome(world: World, target: Run, person_key: str) -> str:
    audit, decision = _parts(target, person_key)
    if (audit and audit.is_undone) or (decision and decision.is_undone):
        return "ALREADY_UNDONE"
    # what somebody else took away and brought back is what was written
    own = [a for a in world.audit_of(person_key) if a.method != EXTERNAL]
    if decision and any(
        d.person_key == person_key and d.seq > decision.seq for d in world.decisions
    ):
        return "CHANGED_LATER"
    if audit:
        is_as_written = own[-1] is audit and world.ledger.get(person_key) == audit.new_row
        return "UNDO" if is_as_written else "CHANGED_LATER"
    assert decision
    is_as_decided = world.ledger_scout(person_key) == decision.before
    is_later = bool(own) and own[-1].seq > decision.seq
    return "UNDO" if is_as_decided and not is_later else "CHANGED_LATER"


def _undo_person(world: World, run: Run, target: Run, person_key: str) -> None:
    if _outcome(world, target, person_key) != "UNDO":
        return
    audit, decision = _parts(target, person_key)
    if audit:
        present = deepcopy(world.ledger.get(person_key))
        _put(world, person_key, deepcopy(audit.old_row))
        audit.is_undone = True
        _note(world, run, person_key, REVERT, present)
    if decision:
        decision.is_undone = True
        earlier = [
            d for d in world.decisions if d.person_key == person_key and d.seq < decision.seq
        ]
        last = max(earlier, key=lambda d: d.seq, default=None)
        stood = last is not None and last.kind != "REOPEN" and last.scout_id == decision.before
        if stood and last is not None:
            again = replace(last, is_undone=False)
        else:
            again = replace(decision, kind="REOPEN", scout_id=None, is_undone=False)
        _decide(world, run, again)
    world.held_persons.add(person_key)


def _link_outcome(world: World, written: LinkWrite) -> str:
    if written.is_undone:
        return "ALREADY_UNDONE"
    if written.person_key == "":
        left = world.unmatched.get(written.source_pk)
        is_there = left is written.left and left is not None and left.status == "IGNORED"
    else:
        is_there = world.links.get((SCOUTING, written.source_pk)) is written.link
    return "UNDO" if is_there else "CHANGED_LATER"


def _undo_link(world: World, written: LinkWrite) -> None:
    if _link_outcome(world, written) != "UNDO":
        return
    written.is_undone = True
    world.link_audit.append((written.source_pk, "REVERTED"))
    row = world.scouting.get(int(written.source_pk))
    left = world.unmatched.get(written.source_pk)
    if written.person_key == "":
        assert left is not None
        world.unmatched[written.source_pk] = Unmatched(written.reason_before or left.reason)
        return
    del world.links[SCOUTING, written.source_pk]
    before = written.before
    if before is not None and before.person_key in world.persons:
        # it is theirs again, or ours by this run
        world.links[SCOUTING, written.source_pk] = replace(before)
        if before.content is not None:
            world.link_audit.append((written.source_pk, "CREATED"))
    if (written.source_pk, None) not in world.held_rows:
        world.held_rows.add((written.source_pk, row.content if row else None))
    if left is not None and left.status == "RESOLVED" and left.resolved_by is written.link:
        world.unmatched[written.source_pk] = Unmatched(left.reason)


def _is_used(world: World, person_key: str) -> bool:
    return (
        any(k.person_key == person_key for k in world.links.values())
        or any(e.person_key == person_key for e in world.events.values())
        or any(p.person_key == person_key for p in world.payments.values())
        or any(d.person_key == person_key for d in world.decisions)
        or person_key in world.ledger
    )


def review(world: World, row_id: int, person_key: str | None, act: str) -> Run:
    """Link a row to a person, move its link, found a person for it, or set it aside."""
    row = world.scouting[row_id]
    assert names_scout(row)
    if act == "move":
        linked = world.links.get((SCOUTING, str(row_id))) or world.person_of_row(row)
        if not linked or world.person_of_row(row) == person_key:
            raise RefusedByModel
    else:
        assert world.person_of_row(row) is None
    run, pk = world.start_run("review"), str(row_id)
    left = world.unmatched.get(pk)
    if act == "dismiss":
        if world.is_ignored(row):
            raise RefusedByModel
        reason = left.reason if left else "REVIEW_DISMISSED"
        aside = world.unmatched[pk] = Unmatched(reason, "IGNORED", row.content)
        world.link_audit.append((pk, "SKIPPED"))
        reason_before = left.reason if left else None
        run.links.append(LinkWrite(pk, "", None, reason_before=reason_before, left=aside))
        return run
    if act == "create":
        person_key = free_key(world, row_id)
        license_, phone = license_key(row.license), phone_key(row.phone)
        world.persons[person_key] = Person(person_key, license_, phone)
    assert person_key
    rule = {"create": "REVIEW_NEW_PERSON", "move": "REVIEW_MOVE"}.get(act, "REVIEW_LINK")
    link = Link(SCOUTING, pk, person_key, rule, 100, "HIGH", row.content)
    before = put_link(world, link)
    run.links.append(LinkWrite(pk, person_key, link, is_founder=act == "create", before=before))
    return run


def _put(world: World, person_key: str, row: LedgerRow | None) -> None:
    if row is None:
        world.ledger.pop(person_key, None)
    else:
        world.ledger[person_key] = row


def _note(world: World, run: Run, person_key: str, method: str, old_row: LedgerRow | None) -> None:
    old = old_row.scout_id if old_row else None
    new_row = world.ledger.get(person_key)
    row = AuditRow(
        person_key, old, world.ledger_scout(person_key), method, _now(), world.next_seq(),
        old_row, new_row,
    )  # fmt: skip
    world.audit.append(row)
    run.audit.append(row)


def _decide(world: World, run: Run, decision: Decision) -> None:
    decision.seq = world.next_seq()
    world.decisions.append(decision)
    run.decisions.append(decision)


def _now() -> datetime:
    return datetime.now(UTC)
