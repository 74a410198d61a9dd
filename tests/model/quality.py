"""Data-quality issues: what the sources hold that cannot be taken as it stands."""

from collections.abc import Iterator

from tests.model.evidence import list_other_claims, list_pieces, read_event
from tests.model.keys import is_unreadable, sound_day
from tests.model.world import Event, World

Issue = tuple[str, str, str]
EVENTS = "observational.lead_events"


def list_issues(world: World) -> set[Issue]:
    """(rule, source_table, source_pk) of every value that a run must report."""
    issues = {
        ("UNKNOWN_SCOUT", piece.source_table, piece.source_pk)
        for piece in list_pieces(world)
        if piece.priority > 1 and not world.is_known(piece.scout_id)
    }
    for event in world.events.values():
        issues |= {(rule, EVENTS, str(event.id)) for rule in _rules_of(event)}
    for claim in list_other_claims(world):
        if claim.scout_id is not None and is_unreadable(str(claim.scout_id)):
            issues.add(("UNREADABLE_SCOUT", claim.source_table, claim.source_pk))
        if claim.day is not None and sound_day(claim.day) is None:
            issues.add(("DATE_OUT_OF_RANGE", claim.source_table, claim.source_pk))
    return issues


def _rules_of(event: Event) -> Iterator[str]:
    """The rules that an event breaks. A payload that is too large is not searched for a scout."""
    reading = read_event(event)
    column_is_bad = event.scout_id is not None and is_unreadable(str(event.scout_id))
    if column_is_bad or (reading.unreadable and not reading.too_large):
        yield "UNREADABLE_SCOUT"
    if reading.too_large:
        yield "PAYLOAD_TOO_LARGE"
    if reading.wrong_shape:
        yield "PAYLOAD_SHAPE"
    if reading.similar_key:
        yield "SIMILAR_KEY"
    if sound_day(event.event_date) is None:
        yield "DATE_OUT_OF_RANGE"
