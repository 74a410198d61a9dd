"""States of a person: satisfactory or backlog with its reason, conflict, lead or not."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from tests.model.evidence import Piece, canonical, list_pieces, list_unreadable, read_event
from tests.model.keys import sound_day
from tests.model.world import (
    BACKFILL,
    CABINET,
    EXTERNAL,
    MIGRATIONS,
    REVERT,
    SCOUTING,
    AuditRow,
    Decision,
    World,
)


@dataclass(frozen=True)
class State:
    """What the views say about one registered person. category None = satisfactory."""

    person_key: str
    category: str | None
    reason_code: str | None
    conflict_kind: str | None
    conflict_scout_ids: tuple[int, ...]
    other_scouts: frozenset[int]
    event_scouts: frozenset[int]
    event_count: int
    event_days: tuple[str, ...]
    piece_count: int
    source_tables: tuple[str, ...]
    unreadable: bool
    is_lead: bool
    decision: Decision | None
    canonical: Piece | None


def decision_in_force(world: World, person_key: str) -> Decision | None:
    """The newest decision, while the ledger still says what it decided."""
    own = [d for d in world.decisions if d.person_key == person_key]
    if not own:
        return None
    last = max(own, key=lambda d: d.seq)
    if last.kind == "REOPEN" or world.ledger_scout(person_key) != last.scout_id:
        return None
    return last


def got_scout_elsewhere_at(world: World, person_key: str) -> datetime | None:
    """When the ledger got its scout from elsewhere; None when our run wrote it. What an undo gives
    back it had got before, and so a row that somebody took away and brought back as it was."""
    own = [a for a in world.audit_of(person_key) if a.method != REVERT]
    got = [
        a for a in own if a.new == world.ledger_scout(person_key) and not _is_brought_back(a, own)
    ]
    if not got:
        return world.ledger[person_key].updated_at
    return None if got[-1].method == BACKFILL else _got_at(got[-1])


def _got_at(row: AuditRow) -> datetime:
    """The date that somebody else's write brought, which is never later than the write."""
    if row.method != EXTERNAL or row.new_row is None:
        return row.at
    if row.old_row is not None and row.old_row.updated_at == row.new_row.updated_at:
        return row.at
    return min(row.new_row.updated_at, row.at)


def _is_brought_back(row: AuditRow, own: list[AuditRow]) -> bool:
    if row.method != EXTERNAL or row.old_row is not None or row.new_row is None:
        return False
    return any(
        a.seq < row.seq
        and a.method == EXTERNAL
        and (a.old, a.new) == (row.new, None)
        and a.old_row is not None
        and a.old_row.updated_at == row.new_row.updated_at
        for a in own
    )


def conflict_kind(world: World, person_key: str, pieces: list[Piece]) -> str | None:
    """The open conflict of a person, None when there is none. pieces: of priority 2-5."""
    scouts = {p.scout_id for p in pieces}
    ledger_scout = world.ledger_scout(person_key)
    decision = decision_in_force(world, person_key)
    if decision is not None:
        considered = decision.considered | {decision.scout_id}
        return "NEW_EVIDENCE" if scouts - considered else None
    if ledger_scout is None:
        return "SEVERAL_SCOUTS" if len(scouts) > 1 else None
    others = [p for p in pieces if p.scout_id != ledger_scout]
    if not others:
        return None
    since = got_scout_elsewhere_at(world, person_key)
    if since is None or any(at > since for at in _ages(others)):
        return "CONTRADICTS_LEDGER"
    return None


def _ages(pieces: list[Piece]) -> list[datetime]:
    """How old each thing that is said is: as old as the oldest row that says it."""
    oldest: dict[tuple[object, ...], datetime] = {}
    for p in pieces:
        said = (p.source_table, p.content, p.attribution_date, p.scout_id)
        # without a date it is as old as our first look, which is now
        at = p.created_at or datetime.now(UTC)
        oldest[said] = min(at, oldest.get(said, at))
    return list(oldest.values())


def reason_code(world: World, state: State) -> str:
    """The first reason that fits a person without ledger scout."""
    if state.decision is not None:
        return "DECIDED_NO_SCOUT"
    if state.category == "D":
        return _reason_not_propagated(world, state)
    if state.category == "A" and state.unreadable:
        return "UNREADABLE_SCOUT"
    if state.other_scouts:
        return "SCOUT_ONLY_IN_OTHER_SOURCE"
    return "EVENTS_WITHOUT_SCOUT" if state.category == "A" else "NO_EVENTS"


def _reason_not_propagated(world: World, state: State) -> str:
    if state.person_key in world.held_persons:
        return "HELD_AFTER_UNDO"
    if len(state.event_scouts) > 1:
        return "SEVERAL_SCOUTS"
    if len(state.other_scouts) > 1:
        return "OTHER_SOURCE_DISAGREES"
    if state.unreadable:
        return "UNREADABLE_SCOUT"
    (only,) = state.other_scouts
    return "WAITING_FOR_NEXT_RUN" if world.is_known(only) else "UNKNOWN_SCOUT"


def list_states(world: World) -> dict[str, State]:
    """The state of every registered person, by key."""
    by_person: dict[str, list[Piece]] = defaultdict(list)
    for piece in list_pieces(world):
        if piece.person_key is not None:
            by_person[piece.person_key].append(piece)
    unreadable = {person for person, _, _ in list_unreadable(world)}
    lead_tables = {SCOUTING, MIGRATIONS, CABINET}
    linked = {k.person_key for k in world.links.values() if k.source_table in lead_tables}
    states = {}
    for key in world.persons:
        events = [e for e in world.events.values() if e.person_key == key]
        others = [p for p in by_person[key] if p.priority > 1]
        kind = conflict_kind(world, key, others)
        ledger_scout = world.ledger_scout(key)
        scouts = frozenset(p.scout_id for p in others)
        shown = scouts | ({ledger_scout} if ledger_scout is not None else set())
        event_scouts = frozenset(s for e in events for s in read_event(e).scouts)
        category = "D" if event_scouts else "A" if events else "C"
        state = State(
            person_key=key,
            category=category if ledger_scout is None else None,
            reason_code=None,
            conflict_kind=kind,
            conflict_scout_ids=tuple(sorted(shown)) if kind else (),
            other_scouts=scouts,
            event_scouts=event_scouts,
            event_count=len(events),
            event_days=tuple(d for e in events if (d := sound_day(e.event_date)) is not None),
            piece_count=len(by_person[key]),
            source_tables=tuple(sorted({p.source_table for p in by_person[key]})),
            unreadable=key in unreadable,
            is_lead=bool(events) or key in linked,
            decision=decision_in_force(world, key),
            canonical=canonical(by_person[key]) if by_person[key] else None,
        )
        if state.category is not None:
            state = replace(state, reason_code=reason_code(world, state))
        states[key] = state
    return states


def _pct(part: int, whole: int) -> Decimal | None:
    if whole == 0:
        return None
    return (Decimal(100 * part) / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)


def snapshot(world: World) -> dict[str, int | Decimal | None]:
    """The numbers of the snapshot view. Percentages are null without persons."""
    states = list(list_states(world).values())
    leads = [s for s in states if s.is_lead]
    satisfactory = sum(s.category is None for s in states)
    return {
        "total_persons": len(states),
        "persons_with_scout_satisfactory": satisfactory,
        "pct_scout_satisfactory": _pct(satisfactory, len(states)),
        "persons_missing_scout": len(states) - satisfactory,
        "conflicts_count": sum(s.conflict_kind is not None for s in states),
        "backlog_a_events_without_scout": sum(s.category == "A" for s in states),
        "backlog_d_scout_in_events_not_in_ledger": sum(s.category == "D" for s in states),
        "backlog_c_legacy_no_events_no_ledger": sum(s.category == "C" for s in states),
        "lead_persons": len(leads),
        "pct_scout_satisfactory_leads": _pct(sum(s.category is None for s in leads), len(leads)),
    }
