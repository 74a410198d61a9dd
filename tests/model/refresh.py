"""The refresh: identities first, then scouts into the ledger with the links known."""

from copy import deepcopy
from datetime import UTC, datetime

from tests.model.evidence import read_event
from tests.model.identity import link_identities
from tests.model.keys import sound_day
from tests.model.persons import State, list_states
from tests.model.world import BACKFILL, AuditRow, Event, LedgerRow, LinkWrite, Run, World


def is_candidate(world: World, state: State) -> bool:
    """True when the job may write the person's one scout (I7)."""
    return (
        state.category is not None
        and len(state.other_scouts) == 1
        and bool(state.event_scouts)
        and all(world.is_known(scout_id) for scout_id in state.other_scouts)
        and not state.unreadable
        and state.decision is None
        and state.person_key not in world.held_persons
    )


def newest_event_of(world: World, person_key: str, scout_id: int) -> Event:
    """The newest event of the person that names the scout."""
    own = [
        e
        for e in world.events.values()
        if e.person_key == person_key and scout_id in read_event(e).scouts
    ]
    return max(own, key=lambda e: (sound_day(e.event_date) or "", e.created_at, e.id))


def propagate(world: World, at: datetime) -> None:
    """Write the scout of every candidate into the ledger, each with its audit row."""
    for key, state in list_states(world).items():
        if not is_candidate(world, state):
            continue
        (scout_id,) = state.other_scouts
        old = deepcopy(world.ledger.get(key))
        row = deepcopy(old) or LedgerRow(key, None, at, score="0.95")
        row.scout_id, row.updated_at, row.rule = scout_id, at, BACKFILL
        row.source = newest_event_of(world, key, scout_id).source_table
        row.confidence, row.status = "high", "assigned"
        world.ledger[key] = row
        seq = world.next_seq()
        world.audit.append(AuditRow(key, None, scout_id, BACKFILL, at, seq, old, row))


def refresh(world: World, at: datetime | None = None) -> Run:
    """One whole run of the job."""
    run = world.start_run("refresh")
    links_before, audit_before = dict(world.links), len(world.audit)
    link_identities(world)
    propagate(world, at or datetime.now(UTC))
    for place, link in world.links.items():
        before = links_before.get(place)
        if link is not before:
            is_founder = link.rule == "BACKFILL_NEW_PERSON"
            written = LinkWrite(link.source_pk, link.person_key, link, is_founder, before=before)
            run.links.append(written)
    run.audit += world.audit[audit_before:]
    return run


def after_refresh(world: World) -> World:
    """The world as a run would leave it; the given one stays as it is."""
    later = deepcopy(world)
    refresh(later)
    return later
