"""Step 1, link identities: rows judged one at a time, what earlier ones led to known at once."""

import hashlib
import uuid
from dataclasses import dataclass

from tests.model.keys import license_key, parse_scout, phone_key
from tests.model.world import DRIVERS, SCOUTING, Link, Person, ScoutingRow, Unmatched, World

LICENSE_MATCH = "BACKFILL_LICENSE_MATCH"
PHONE_MATCH = "BACKFILL_PHONE_MATCH"
NEW_PERSON = "BACKFILL_NEW_PERSON"
STRENGTH = {LICENSE_MATCH: (80, "HIGH"), PHONE_MATCH: (70, "MEDIUM"), NEW_PERSON: (50, "LOW")}


@dataclass(frozen=True)
class Verdict:
    """What the rules say of a row: a link to a person (None = a new one) or a reason."""

    rule: str | None = None
    person_key: str | None = None
    reason: str | None = None


def names_scout(row: ScoutingRow) -> bool:
    """True when the row's scout can be read."""
    return row.scout_id is not None and parse_scout(str(row.scout_id)) is not None


def founding_key(row_id: int, attempt: int = 0) -> str:
    """The key of the person that a scouting row founds; attempt: how often the key was taken."""
    text = f"scout_attribution:{SCOUTING}:{row_id}" + (f":{attempt}" if attempt else "")
    return str(uuid.UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()))


def standing_persons(world: World, phone: str) -> set[str]:
    """The persons of a phone by the registry and the drivers index."""
    found = {p.key for p in world.persons.values() if phone_key(p.phone) == phone}
    for d in world.drivers.values():
        if phone_key(d.phone) == phone:
            found |= {world.link_of(DRIVERS, d.driver_id)} - {None}  # type: ignore[arg-type]
    return found


def persons_of_phone(world: World, phone: str) -> set[str]:
    """The persons of a phone, also by the linked scouting rows that show it."""
    found = standing_persons(world, phone)
    for row in world.scouting.values():
        person = world.person_of_row(row)
        if person and phone_key(row.phone) == phone:
            found.add(person)
    return found


def licenses_of(world: World) -> set[tuple[str, str]]:
    """(license, person): every license under which a person is known."""
    pairs = {(license_key(p.license), p.key) for p in world.persons.values()}
    for d in world.drivers.values():
        pairs.add((license_key(d.license), world.link_of(DRIVERS, d.driver_id) or ""))
    for row in world.scouting.values():
        pairs.add((license_key(row.license), world.person_of_row(row) or ""))
    return {(lic, person) for lic, person in pairs if lic and person}


def phones_shown_with(world: World, license_: str | None) -> set[str | None]:
    """The phones that scouting rows, linked or not, show with a license."""
    rows = (r for r in world.scouting.values() if license_key(r.license) == license_)
    return {phone_key(row.phone) for row in rows} - {None}


def judge_license(world: World, row: ScoutingRow) -> Verdict:
    """The verdict on a row with a license, as the world is now."""
    license_, phone = license_key(row.license), phone_key(row.phone)
    known = licenses_of(world)
    owners = {person for lic, person in known if lic == license_}
    if len(owners) > 1:
        return Verdict(reason="AMBIGUOUS_LICENSE")
    if owners:
        (owner,) = owners
        standing = standing_persons(world, phone) if phone else set()
        if standing and owner not in standing:
            return Verdict(reason="IDENTIFIERS_DISAGREE")
        return Verdict(rule=LICENSE_MATCH, person_key=owner)
    if len(phones_shown_with(world, license_)) > 1:
        return Verdict(reason="AMBIGUOUS_LICENSE")
    if phone is None:
        return Verdict(rule=NEW_PERSON)
    for other in world.scouting.values():
        other_license = license_key(other.license)
        if (other.id < row.id and names_scout(other) and phone_key(other.phone) == phone
                and other_license and other_license != license_):  # fmt: skip
            return Verdict(reason="IDENTIFIERS_DISAGREE")
    holders = persons_of_phone(world, phone)
    if len(holders) > 1:
        return Verdict(reason="AMBIGUOUS_PHONE")
    if not holders:
        return Verdict(rule=NEW_PERSON)
    (holder,) = holders
    if any(person == holder for _, person in known):
        return Verdict(reason="IDENTIFIERS_DISAGREE")
    return Verdict(rule=PHONE_MATCH, person_key=holder)


def judge_phone(world: World, row: ScoutingRow) -> Verdict:
    """The verdict on a row without license, as the world is now."""
    phone = phone_key(row.phone)
    if phone is None:
        return Verdict(reason="NO_IDENTIFIERS")
    same_phone = [r for r in world.scouting.values() if phone_key(r.phone) == phone]
    if len({license_key(r.license) for r in same_phone} - {None}) > 1:
        return Verdict(reason="AMBIGUOUS_PHONE")
    holders = persons_of_phone(world, phone)
    if len(holders) > 1:
        return Verdict(reason="AMBIGUOUS_PHONE")
    if holders:
        return Verdict(rule=PHONE_MATCH, person_key=holders.pop())
    return Verdict(rule=NEW_PERSON)


def judge(world: World, row: ScoutingRow) -> Verdict:
    """The verdict on a row as the world is now."""
    return judge_license(world, row) if license_key(row.license) else judge_phone(world, row)


def pool(world: World) -> list[ScoutingRow]:
    """The rows to judge: naming a scout, not linked, not held, not ignored by a person."""
    return [
        row
        for row in world.scouting_rows()
        if names_scout(row)
        and world.person_of_row(row) is None
        and not world.is_held(row)
        and not world.is_ignored(row)
    ]


def _link(world: World, row: ScoutingRow) -> str | None:
    """Link the row when the rules allow it now; gives the rule."""
    if world.person_of_row(row):
        return None
    verdict = judge(world, row)
    if verdict.rule is None or (verdict.rule == NEW_PERSON and not can_found(world, row)):
        return None
    person_key = verdict.person_key
    if person_key is None:
        person_key = free_key(world, row.id)
        license_, phone = license_key(row.license), phone_key(row.phone)
        world.persons[person_key] = Person(person_key, license_, phone)
    score, confidence = STRENGTH[verdict.rule]
    link = Link(SCOUTING, str(row.id), person_key, verdict.rule, score, confidence, row.content)
    put_link(world, link)
    return verdict.rule


def put_link(world: World, link: Link) -> Link | None:
    """Make a link of ours, with its audit, and close the row's unmatched one; gives the one that
    it moved."""
    before = world.links.get((SCOUTING, link.source_pk))
    world.links[SCOUTING, link.source_pk] = link
    if before is not None and before.content is not None:
        world.link_audit.append((link.source_pk, "REVERTED"))
    world.link_audit.append((link.source_pk, "CREATED"))
    left = world.unmatched.get(link.source_pk)
    if left is not None and left.status != "RESOLVED":
        world.unmatched[link.source_pk] = Unmatched(left.reason, "RESOLVED", resolved_by=link)
    return before


def can_found(world: World, row: ScoutingRow) -> bool:
    """False for a row that was mended until nobody has its keys; one that got the number of
    another, which is still there, is as good as new."""
    outdated = world.outdated_link(row)
    return outdated is None or world.is_shown(str(outdated.content))


def free_key(world: World, row_id: int) -> str:
    """The first key for the person that the row founds that nobody has."""
    keys = (founding_key(row_id, attempt) for attempt in range(100))
    return next(key for key in keys if key not in world.persons)


def link_identities(world: World) -> None:
    """Judge the whole pool and link what the rules allow; the rest becomes or stays unmatched."""
    _keep_ignored(world)
    waiting = pool(world)
    by_license = [r for r in waiting if license_key(r.license)]
    for row in by_license:
        if _link(world, row) not in (PHONE_MATCH, NEW_PERSON):
            continue
        for lower in by_license:
            if lower.id < row.id and license_key(lower.license) == license_key(row.license):
                _link(world, lower)
    by_phone = [r for r in waiting if not license_key(r.license)]
    for row in by_phone:
        if _link(world, row) != NEW_PERSON:
            continue
        for lower in by_phone:
            if lower.id < row.id and phone_key(lower.phone) == phone_key(row.phone):
                _link(world, lower)
    for row in pool(world):
        _leave(world, row)
    _close_moved_back(world)


def _keep_ignored(world: World) -> None:
    """What the rows say that somebody set aside with SQL since the last run."""
    for pk, left in world.unmatched.items():
        if left.status == "IGNORED" and left.content is None and int(pk) in world.scouting:
            left.content = world.scouting[int(pk)].content


def _close_moved_back(world: World) -> None:
    """Rows whose link was out of date and holds again."""
    for row in world.scouting_rows():
        left = world.unmatched.get(str(row.id))
        if left == Unmatched("KEYS_MOVED") and names_scout(row) and world.person_of_row(row):
            world.unmatched[str(row.id)] = Unmatched("KEYS_MOVED", "RESOLVED")


def _leave(world: World, row: ScoutingRow) -> None:
    """Write the reason that the rules give now; nothing when it is already there."""
    verdict = judge(world, row)
    reason = verdict.reason
    if verdict.rule == NEW_PERSON and not can_found(world, row):
        reason = "NOBODY_KNOWN"
    assert reason is not None, "a run must leave nothing that the rules would link"
    if world.outdated_link(row) is not None:
        reason = "KEYS_MOVED"
    before = world.unmatched.get(str(row.id))
    if before is None or (before.status, before.reason) != ("OPEN", reason):
        world.unmatched[str(row.id)] = Unmatched(reason)
        action = "SKIPPED" if reason == "NO_IDENTIFIERS" else "AMBIGUOUS"
        world.link_audit.append((str(row.id), action))
