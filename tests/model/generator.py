"""Dense random input: few persons, scouts, licenses and phones, so that everything collides."""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.model.identity import names_scout
from tests.model.persons import list_states
from tests.model.twin import Twin
from tests.model.world import (
    CABINET,
    MIGRATIONS,
    SCOUTING,
    Decision,
    Driver,
    Event,
    LedgerRow,
    Migration,
    Payment,
    Person,
    ScoutingRow,
)

PERSONS = [str(uuid.UUID(int=n, version=4)) for n in range(1, 7)]
SCOUTS = [5, 7, 9, 2147483647]
LICENSES = ["Q1234567", "q-1234567", "R7654321", "r 7654321", "S000111", "O000111", "T55 5555"]
PHONES = ["999888771", "+51 999 888 771", "999-888-772", "0051999888772", "51999888773"]
NO_LICENSE = [None, "", "NO TIENE", "S/N", "-", "Q123"]
NO_PHONE = [None, "no tiene", "999999999", "987654321", "123456789", "888777666"]
DAYS = ["2024-03-01", "2024-03-02", "2025-07-31", "2025-12-31", "2026-01-01"]
STRANGE_DAYS = ["9999-12-31", "infinity", "0044-03-15 BC", "10000-01-01", "1899-12-31"]
GARBAGE: list[Any] = ["S-12", "12.0", 12.5, -5, 0, True, [12], {"id": 12}, "\u0661\u0662", 2**31]
WRONG_SHAPES = ["[12]", "12", "null", '"5"']
PAST, FUTURE = datetime(2024, 5, 1, 4, 30, tzinfo=UTC), datetime(2150, 1, 1, 4, 30, tzinfo=UTC)


class Generator:
    """Draws changes from a source of chance and makes them on a twin."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self._minutes: set[int] = set()
        self._ids: set[int] = set()

    def start(self, rng: Random) -> None:
        """Registered persons, drivers with and without links, ledger rows from before, scouts."""
        for key in PERSONS[: rng.randint(3, 5)]:
            self.twin.add_person(Person(key, self._license(rng), self._phone(rng)))
        for n in range(rng.randint(0, 3)):
            self.driver(rng, f"d{n}")
        for key in list(self.twin.world.persons):
            if rng.random() < 0.4:
                scout = rng.choice([None, *SCOUTS[:2]])
                at = rng.choice([PAST - timedelta(days=300), PAST + timedelta(minutes=2500)])
                self.twin.load_ledger(LedgerRow(key, scout, at))
        if rng.random() < 0.5:
            self.twin.list_scout(rng.choice(SCOUTS[:3]))

    def step(self, rng: Random) -> str:
        """Make one change; gives its name."""
        kinds: list[tuple[Callable[[Random], None], int]] = [
            (self.event, 7), (self.scouting, 8), (self.migration, 3), (self.payment, 3),
            (self.ledger, 3), (self.touch_event, 2), (self.person, 1), (self.driver, 2),
            (self.link, 2), (self.scouts, 1), (self.hold, 1), (self.decision, 2),
        ]  # fmt: skip
        chosen = rng.choice([kind for kind, weight in kinds for _ in range(weight)])
        chosen(rng)
        return chosen.__name__

    def _id(self, rng: Random) -> int:
        """An id in no order, so that later rows may come before earlier ones."""
        number = rng.randint(1, 90)
        while number in self._ids:
            number += 1
        self._ids.add(number)
        return number

    def _created_at(self, rng: Random) -> datetime:
        minutes = rng.randint(0, 5000)
        while minutes in self._minutes:
            minutes += 1
        self._minutes.add(minutes)
        return rng.choice([PAST, PAST, FUTURE]) + timedelta(minutes=minutes)

    def _maybe_created_at(self, rng: Random) -> datetime | None:
        return None if rng.random() < 0.1 else self._created_at(rng)

    def _scout(self, rng: Random) -> int | None:
        return rng.choice([5, 5, 5, 5, 7, 7, 9, None, 2147483647 if rng.random() < 0.2 else 5])

    def _column(self, rng: Random) -> int | None:
        return rng.choice([0, -5]) if rng.random() < 0.06 else self._scout(rng)

    def _day(self, rng: Random) -> str:
        return rng.choice(STRANGE_DAYS) if rng.random() < 0.06 else rng.choice(DAYS)

    def _license(self, rng: Random) -> str | None:
        return rng.choice(LICENSES) if rng.random() < 0.7 else rng.choice(NO_LICENSE)

    def _phone(self, rng: Random) -> str | None:
        return rng.choice(PHONES) if rng.random() < 0.75 else rng.choice(NO_PHONE)

    def _person(self, rng: Random) -> str:
        return rng.choice(list(self.twin.world.persons))

    def _payload(self, rng: Random, column: int | None) -> str | None:
        """A payload that mostly agrees with the column."""
        chance = rng.random()
        if chance < 0.4:
            return None
        if chance < 0.46:
            return json.dumps({"scout_id": rng.choice(GARBAGE)})
        if chance < 0.5:
            return rng.choice(WRONG_SHAPES)
        if chance < 0.505:
            return json.dumps({"pad": "x" * 70_000, "scout_id": 5})
        scout = column if column and column > 0 and rng.random() < 0.7 else self._scout(rng)
        spelled = [scout, str(scout), f" {scout}\n", f"00{scout}"] if scout else [None, "", " "]
        made = {rng.choice(["scout_id"] * 9 + ["Scout_ID"]): rng.choice(spelled)}
        if rng.random() < 0.4:
            made["origin_tag"] = rng.choice(["cabinet", "referral", None])
        return json.dumps(made)

    def event(self, rng: Random) -> None:
        """A lead event, one in ten of nobody."""
        person = None if rng.random() < 0.1 else self._person(rng)
        source = rng.choice(["cabinet", "scouting", "referral"])
        column = self._column(rng)
        self.twin.add_event(Event(self._id(rng), person, self._day(rng), column,
                                  self._payload(rng, column), self._created_at(rng),
                                  source))  # fmt: skip

    def touch_event(self, rng: Random) -> None:
        """Change or delete an event."""
        events = self.twin.world.events
        if not events:
            return
        old = events[rng.choice(sorted(events))]
        if rng.random() < 0.4:
            self.twin.remove_event(old.id)
            return
        column = self._column(rng)
        self.twin.change_event(replace(old, scout_id=column, payload=self._payload(rng, column)))

    def scouting(self, rng: Random) -> None:
        """A scouting row: mostly without link, sometimes linked by its id or its older key."""
        row = ScoutingRow(self._id(rng), self._column(rng), self._phone(rng), self._license(rng),
                          None if rng.random() < 0.1 else self._day(rng),
                          rng.choice([None, "street"]), self._maybe_created_at(rng))  # fmt: skip
        self.twin.add_scouting(row)
        chance = rng.random()
        if chance < 0.1:
            self.twin.add_link(SCOUTING, str(row.id), self._person(rng))
        elif chance < 0.25 and self._has_old_key(row):
            self.twin.add_link(SCOUTING, row.old_key, self._person(rng))

    def _has_old_key(self, row: ScoutingRow) -> bool:
        """True when the older system could have linked the row: a usual day, not linked yet."""
        usual = row.registration_date is None or row.registration_date in DAYS
        return usual and (SCOUTING, row.old_key) not in self.twin.world.links

    def migration(self, rng: Random) -> None:
        """A migration with a link of its own, of its driver, of both or of none."""
        driver = rng.choice([None, *self.twin.world.drivers])
        hired = None if rng.random() < 0.1 else self._day(rng)
        row = Migration(
            self._id(rng), driver, self._column(rng), hired, self._maybe_created_at(rng)
        )
        self.twin.add_migration(row)
        if rng.random() < 0.4:
            self.twin.add_link(MIGRATIONS, str(row.id), self._person(rng))

    def payment(self, rng: Random) -> None:
        """A payment of a person, of a driver, or of a key that nobody has registered."""
        person = rng.choice([None, self._person(rng), rng.choice(PERSONS)])
        driver = rng.choice([None, *self.twin.world.drivers])
        day = None if rng.random() < 0.1 else self._day(rng)
        self.twin.add_payment(Payment(self._id(rng), self._column(rng), day, driver, person,
                                      self._maybe_created_at(rng)))  # fmt: skip

    def person(self, rng: Random) -> None:
        """Register one more person; payments may have named the key before."""
        missing = [key for key in PERSONS if key not in self.twin.world.persons]
        if missing:
            self.twin.add_person(Person(missing[0], self._license(rng), self._phone(rng)))

    def driver(self, rng: Random, driver_id: str | None = None) -> None:
        """List one more driver, often linked."""
        linked = self._person(rng) if rng.random() < 0.7 else None
        name = driver_id or f"d{len(self.twin.world.drivers)}"
        self.twin.add_driver(Driver(name, self._license(rng), self._phone(rng)), linked)

    def link(self, rng: Random) -> None:
        """Make or remove a link of the owner's: drivers, cabinet leads, scouting rows."""
        links = self.twin.world.links
        owners = sorted(key for key, link in links.items() if link.rule == "OWNER")
        if owners and rng.random() < 0.4:
            self.twin.remove_link(*rng.choice(owners))
            return
        rows = [str(r.id) for r in self.twin.world.scouting.values()]
        places = [(CABINET, "lead-1"), *(("drivers", d) for d in self.twin.world.drivers),
                  *((SCOUTING, pk) for pk in rows)]  # fmt: skip
        table, pk = rng.choice(places)
        if (table, pk) not in links:
            self.twin.add_link(table, pk, self._person(rng))

    def scouts(self, rng: Random) -> None:
        """List a scout, or empty the list."""
        unlisted = [s for s in SCOUTS if s not in self.twin.world.scouts_list]
        if rng.random() < 0.25 or not unlisted:
            self.twin.unlist_scouts()
        else:
            self.twin.list_scout(rng.choice(unlisted))

    def hold(self, rng: Random) -> None:
        """Hold a person or a scouting row, ignore a row, or release all holds."""
        waiting = [r.id for r in self.twin.world.scouting_rows()
                   if names_scout(r) and self.twin.world.person_of_row(r) is None]  # fmt: skip
        chance = rng.random()
        if chance < 0.35 or not waiting:
            self.twin.hold_person(self._person(rng))
        elif chance < 0.55:
            self.twin.hold_row(rng.choice(waiting))
        elif chance < 0.75:
            self.twin.ignore_row(rng.choice(waiting))
        else:
            self.twin.release_holds()

    def ledger(self, rng: Random) -> None:
        """Set, change, erase or delete a scout of the ledger by hand."""
        person = self._person(rng)
        if person in self.twin.world.ledger and rng.random() < 0.3:
            self.twin.remove_ledger(person)
            return
        scout = rng.choice([None, 5, 7, 9])
        self.twin.set_ledger(LedgerRow(person, scout, PAST + timedelta(minutes=2500)))

    def decision(self, rng: Random) -> None:
        """Assign a scout, decide for none, or reopen a decision that left the ledger as it was."""
        person = self._person(rng)
        state = list_states(self.twin.world)[person]
        seen = frozenset(state.other_scouts)
        if state.decision is not None and state.decision.kind == "NO_SCOUT" and rng.random() < 0.4:
            self.twin.decide(Decision(person, "REOPEN", None, seen, 0))
        elif rng.random() < 0.5:
            self.twin.decide(Decision(person, "NO_SCOUT", None, seen, 0))
        else:
            self.twin.decide(Decision(person, "ASSIGN", rng.choice([5, 7, *seen]), seen, 0))
