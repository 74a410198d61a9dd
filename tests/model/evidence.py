"""Evidence: what names a scout, what cannot be read, and the canonical scout of a person."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from tests.model import keys
from tests.model.world import DRIVERS, MIGRATIONS, Event, World

LIMA = timezone(timedelta(hours=-5))


@dataclass(frozen=True)
class Piece:
    """One piece of evidence. person_key None = nobody is known for it."""

    person_key: str | None
    scout_id: int
    origin_tag: str | None
    acquisition_method: str | None
    source_table: str
    source_pk: str
    attribution_date: str | None
    created_at: datetime | None
    priority: int
    content: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class EventReading:
    """What one event says: its scouts, column first, and what is wrong with it."""

    scouts: tuple[int, ...]
    unreadable: bool
    origin_tag: str | None = None
    wrong_shape: bool = False
    similar_key: bool = False
    too_large: bool = False


def read_event(event: Event) -> EventReading:
    """Column and payload that agree are one scout; what differs counts twice."""
    column = None if event.scout_id is None else str(event.scout_id)
    payload: Any = {}
    too_large = event.payload is not None and len(event.payload.encode()) > keys.PAYLOAD_LIMIT
    if event.payload is not None and not too_large:
        payload = keys.read_json(event.payload)
    wrong_shape = not isinstance(payload, dict)
    if wrong_shape:
        payload = {}
    inside = keys.json_text(payload.get("scout_id"))
    scouts = [s for s in (keys.parse_scout(column), keys.parse_scout(inside)) if s is not None]
    return EventReading(
        scouts=tuple(dict.fromkeys(scouts)),
        unreadable=keys.is_unreadable(column) or keys.is_unreadable(inside) or too_large,
        origin_tag=keys.json_text(payload.get("origin_tag")),
        wrong_shape=wrong_shape,
        similar_key=any(_is_similar(name) for name in payload),
        too_large=too_large,
    )


def _is_similar(name: str) -> bool:
    return name != "scout_id" and name.lower().replace("_", "").replace("-", "") == "scoutid"


@dataclass(frozen=True)
class Claim:
    """A scout column of a source other than the events, with the person it speaks of."""

    person_key: str | None
    scout_id: int | None
    origin_tag: str
    acquisition_method: str | None
    source_table: str
    source_pk: str
    day: str | None
    created_at: datetime | None
    priority: int
    content: tuple[str | None, ...]


def list_other_claims(world: World) -> list[Claim]:
    """Migrations, scouting rows and payments, whatever their scout column holds."""
    claims = []
    for m in world.migrations.values():
        person = world.link_of(MIGRATIONS, str(m.id)) or world.link_of(DRIVERS, m.driver_id)
        claims.append(Claim(person, m.scout_id, "migration", None, "public.module_ct_migrations",
                            str(m.id), m.hire_date, m.created_at, 3, (m.driver_id,)))  # fmt: skip
    for r in world.scouting.values():
        claims.append(Claim(world.person_of_row(r), r.scout_id, "scout_registration",
                            r.acquisition_method, "public.module_ct_scouting_daily",
                            str(r.id), r.registration_date, r.created_at, 4,
                            (keys.license_key(r.license) or r.license,
                             keys.phone_key(r.phone) or r.phone)))  # fmt: skip
    for p in world.payments.values():
        if p.person_key is None:
            person = world.link_of(DRIVERS, p.driver_id)
        else:
            person = p.person_key if p.person_key in world.persons else None
        claims.append(Claim(person, p.scout_id, "cabinet_payment", None,
                            "public.module_ct_cabinet_payments",
                            str(p.id), p.date, p.created_at, 5,
                            (p.driver_id or p.person_key,)))  # fmt: skip
    return claims


def list_pieces(world: World) -> list[Piece]:
    """Every piece of evidence that names a scout, from every source, also without a person."""
    pieces = []
    for row in world.ledger.values():
        if row.scout_id is not None and keys.parse_scout(str(row.scout_id)) is not None:
            day = keys.sound_day(row.updated_at.astimezone(LIMA).date().isoformat())
            pieces.append(Piece(row.person_key, row.scout_id, None, None,
                                "observational.lead_ledger", row.person_key,
                                day, row.updated_at, 1))  # fmt: skip
    for event in world.events.values():
        reading = read_event(event)
        for scout in reading.scouts:
            pieces.append(Piece(event.person_key, scout, reading.origin_tag, None,
                                "observational.lead_events", str(event.id),
                                keys.sound_day(event.event_date), event.created_at, 2,
                                (str(event.id),)))  # fmt: skip
    for c in list_other_claims(world):
        scout_id = keys.parse_scout(None if c.scout_id is None else str(c.scout_id))
        if scout_id is not None:
            pieces.append(Piece(c.person_key, scout_id, c.origin_tag, c.acquisition_method,
                                c.source_table, c.source_pk, keys.sound_day(c.day),
                                c.created_at, c.priority, c.content))  # fmt: skip
    return pieces


def list_unreadable(world: World) -> list[tuple[str | None, str, str]]:
    """(person, source_table, source_pk) of every row whose scout cannot be read."""
    found = [
        (e.person_key, "observational.lead_events", str(e.id))
        for e in world.events.values()
        if read_event(e).unreadable
    ]
    for c in list_other_claims(world):
        if c.scout_id is not None and keys.is_unreadable(str(c.scout_id)):
            found.append((c.person_key, c.source_table, c.source_pk))
    return found


def canonical(pieces: list[Piece]) -> Piece:
    """The piece that gives a person's scout. pieces: one or more, all of that person."""
    long_ago = datetime(1, 1, 1, tzinfo=UTC)
    best = sorted(pieces, key=lambda p: (p.scout_id, p.source_table, p.source_pk))
    best = sorted(best, key=lambda p: p.created_at or long_ago, reverse=True)
    best = sorted(best, key=lambda p: p.attribution_date or "", reverse=True)
    return sorted(best, key=lambda p: p.priority)[0]
