"""Dense random input: few persons, scouts, licenses and phones, so that everything collides."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

from tests.model.draw import DAYS, GARBAGE, LICENSES, PAST, PERSONS, PHONES, SCOUTS, Draw
from tests.model.identity import names_scout
from tests.model.persons import list_states
from tests.model.world import (
    CABINET,
    MIGRATIONS,
    SCOUTING,
    Driver,
    Event,
    LedgerRow,
    Migration,
    Payment,
    Person,
    ScoutingRow,
)


class Generator(Draw):
    """Draws changes from a source of chance and makes them on a twin."""

    def start(self, rng: Random) -> None:
        """Registered persons, drivers with and without links, ledger rows from before, scouts."""
        for key in PERSONS[: rng.randint(2, 5)]:
            self.twin.add_person(Person(key, self._license(rng), self._phone(rng)))
        for n in range(rng.randint(0, 3)):
            self.driver(rng, f"d{n}")
        for key in list(self.twin.world.persons):
            if rng.random() < 0.4:
                scout = rng.choice([None, *SCOUTS[:2]])
                at = rng.choice([PAST - timedelta(days=300), PAST + timedelta(minutes=2500)])
                self.twin.load_ledger(LedgerRow(key, scout, at))
        if rng.random() < 0.5:
            self.twin.list_scout(rng.choice([5, 5, 7]))

    def step(self, rng: Random) -> str:
        """Make one change; gives its name."""
        kinds: list[tuple[Callable[[Random], None], int]] = [
            (self.event, 7), (self.scouting, 8), (self.migration, 3), (self.payment, 3),
            (self.ledger, 2), (self.touch_event, 2), (self.person, 4), (self.driver, 2),
            (self.link, 2), (self.scouts, 1), (self.hold, 1), (self.decision, 3), (self.spoil, 5),
            (self.review, 1), (self.undo, 2), (self.mend, 2), (self.reload, 1),
        ]  # fmt: skip
        chosen = rng.choice([kind for kind, weight in kinds for _ in range(weight)])
        chosen(rng)
        return chosen.__name__

    def anybody(self, rng: Random) -> str:
        """The key of a registered person."""
        return self._person(rng)

    def event(self, rng: Random) -> None:
        """A lead event, one in ten of nobody."""
        person = None if rng.random() < 0.1 else self._person(rng)
        source = rng.choice(["cabinet", "scouting", "referral"])
        column = None if rng.random() < 0.3 else self._column(rng)
        self.twin.add_event(Event(self._id(rng), person, self._day(rng), column,
                                  self._payload(rng, column), self._created_at(rng),
                                  source))  # fmt: skip

    def name_scout(self, rng: Random, person: str) -> None:
        """An event of a person that names a scout for certain."""
        at = self._created_at(rng)
        self.twin.add_event(Event(self._id(rng), person, DAYS[0], 13, None, at, "cabinet"))

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
                          rng.choice([None, "street"]), self._maybe_old(rng))  # fmt: skip
        self.twin.add_scouting(row)
        chance = rng.random()
        if chance < 0.1:
            self.twin.add_link(SCOUTING, str(row.id), self._person(rng))
        elif chance < 0.25 and self._has_old_key(row):
            self.twin.add_link(SCOUTING, row.old_key, self._person(rng))

    def crowd(self, rng: Random) -> None:
        """Several scouting rows at once without links, of few licenses and phones."""
        for _ in range(rng.randint(3, 8)):
            license_ = rng.choice([*LICENSES[::2], None])
            phone = rng.choice([*PHONES[::2], None])
            row = ScoutingRow(self._id(rng), self._scout(rng), phone, license_, DAYS[0], None, PAST)
            self.twin.add_scouting(row)

    def tangle(self, rng: Random) -> None:
        """Rows that hang together: a license somebody has, one nobody has, one new phone."""
        persons = self.twin.world.persons.values()
        known = [p.license for p in persons if p.license and not p.phone]
        license_, phone = self._unused_keys()
        if known and rng.random() < 0.5:
            self._overtaken(rng.choice(known), license_, phone, rng)
            return
        for _ in range(rng.randint(3, 5)):
            row = ScoutingRow(
                self._id(rng), 5, rng.choice([phone, phone, None]),
                rng.choice([license_, license_, rng.choice(known or [None]), None]),
                DAYS[1], None, PAST,
            )  # fmt: skip
            self.twin.add_scouting(row)
            if rng.random() < 0.2:
                self.twin.add_link(SCOUTING, str(row.id), self._person(rng))

    def _overtaken(self, known: str, license_: str, phone: str, rng: Random) -> None:
        """A row that is left at first and linked when a later one makes the person."""
        ids = sorted(self._id(rng) for _ in range(3))
        keys = [(known, phone), (license_, phone), (license_, None)]
        for number, (row_license, row_phone) in zip(ids, keys, strict=True):
            self.twin.add_scouting(
                ScoutingRow(number, 5, row_phone, row_license, DAYS[1], None, PAST)
            )

    def migration(self, rng: Random) -> None:
        """A migration with a link of its own, of its driver, of both or of none."""
        driver = rng.choice([None, *self.twin.world.drivers])
        hired = None if rng.random() < 0.1 else self._day(rng)
        row = Migration(self._id(rng), driver, self._column(rng), hired, self._maybe_old(rng))
        self.twin.add_migration(row)
        if rng.random() < 0.4:
            self.twin.add_link(MIGRATIONS, str(row.id), self._person(rng))

    def payment(self, rng: Random) -> None:
        """A payment of a person, of a driver, or of a key that nobody has registered."""
        unknown = [key for key in PERSONS if key not in self.twin.world.persons]
        person = rng.choice([None, self._person(rng), (unknown or PERSONS)[-1]])
        driver = rng.choice([None, *self.twin.world.drivers])
        day = None if rng.random() < 0.1 else self._day(rng)
        self.twin.add_payment(Payment(self._id(rng), self._column(rng), day, driver, person,
                                      self._maybe_old(rng)))  # fmt: skip

    def person(self, rng: Random) -> None:
        """Register one more person, with an event; payments may have named the key before."""
        missing = [key for key in PERSONS if key not in self.twin.world.persons]
        if missing:
            key, at = missing[0], self._created_at(rng)
            if rng.random() < 0.5:
                license_, phone = self._unused_keys()
                self.twin.add_person(Person(key, license_, rng.choice([phone, None])))
            else:
                self.twin.add_person(Person(key, self._license(rng), self._phone(rng)))
            if rng.random() < 0.4:
                self.twin.set_ledger(LedgerRow(key, None, PAST))
            self.twin.add_event(Event(self._id(rng), key, DAYS[0], 5, None, at, "cabinet"))

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
        """Set, change, erase or delete a scout of the ledger by hand, or load all of it again."""
        person = self._person(rng)
        if rng.random() < 0.15:
            self.twin.reload_ledger()
            return
        if person in self.twin.world.ledger and rng.random() < 0.3:
            self.twin.remove_ledger(person)
            return
        scout = rng.choice([None, 5, 7, 9])
        self.twin.set_ledger(LedgerRow(person, scout, PAST + timedelta(minutes=2500)))

    def touch_ledger(self, rng: Random) -> None:
        """Change a scout of the ledger that a run of ours wrote, by hand."""
        ours = [key for key, row in sorted(self.twin.world.ledger.items()) if row.rule]
        if ours and rng.random() < 0.7:
            person = rng.choice(ours)
            self.twin.set_ledger(LedgerRow(person, rng.choice([None, 5, 9]), PAST))

    def spoil(self, rng: Random) -> None:
        """Give a person whom the next run would write one thing that speaks against it."""
        waiting = [s.person_key for s in list_states(self.twin.world).values()
                   if s.reason_code == "WAITING_FOR_NEXT_RUN"]  # fmt: skip
        if not waiting:
            self.event(rng)
            return
        person, number, at = waiting[-1], self._id(rng), self._created_at(rng)
        kinds = [
            "hold",
            "hold",
            "garbage",
            "garbage",
            "event",
            "payment",
            "decision",
            "row",
            "list",
        ]
        kind = rng.choice(kinds)
        if kind == "hold":
            self.twin.hold_person(person)
        elif kind == "garbage":
            payload = json.dumps({"scout_id": rng.choice(GARBAGE)})
            self.twin.add_event(Event(number, person, DAYS[0], None, payload, at, "cabinet"))
        elif kind == "event":
            self.twin.add_event(Event(number, person, DAYS[0], 7, None, at, "cabinet"))
        elif kind == "payment":
            column = rng.choice([7, -5])
            self.twin.add_payment(Payment(number, column, DAYS[0], None, person, at))
        elif kind == "decision":
            self.twin.decide(person, "NO_SCOUT")
        elif kind == "row":
            registered = self.twin.world.persons[person]
            row = ScoutingRow(number, 7, registered.phone, registered.license, DAYS[0], None, at)
            self.twin.add_scouting(row)
        else:
            self.twin.list_scout(9)

    def decision(self, rng: Random) -> None:
        """Assign a scout, decide for none, or reopen."""
        person = self._person(rng)
        state = list_states(self.twin.world)[person]
        if state.decision is not None and rng.random() < 0.4:
            self.twin.decide(person, "REOPEN")
        elif rng.random() < 0.4:
            self.twin.decide(person, "NO_SCOUT")
        else:
            self.twin.decide(person, "ASSIGN", rng.choice([5, 7, *sorted(state.other_scouts)]))

    def mend(self, rng: Random) -> None:
        """Mend a scouting row in place, or let two change places."""
        rows = list(self.twin.world.scouting_rows())
        if not rows:
            return
        one, other = rng.choice(rows), rng.choice(rows)
        chance = rng.random()
        if chance < 0.4 and one is not other:
            for row, said in ((one, other), (other, one)):
                self.twin.mend_scouting(
                    replace(row, scout_id=said.scout_id, phone=said.phone, license=said.license)
                )
        elif chance < 0.6:
            self.twin.mend_scouting(replace(one, license=self._license(rng)))
        elif chance < 0.8:
            self.twin.mend_scouting(replace(one, phone=self._phone(rng)))
        elif chance < 0.9:
            license_, phone = self._unused_keys()
            self.twin.mend_scouting(replace(one, license=license_, phone=phone))
        else:
            self.twin.mend_scouting(replace(one, scout_id=self._column(rng)))

    def reload(self, rng: Random) -> None:
        """Load all scouting rows anew: with the same ids, with those of others, or some gone."""
        rows = list(self.twin.world.scouting_rows())
        ids = [row.id for row in rows]
        if rng.random() < 0.7:
            rng.shuffle(ids)
        loaded = [replace(row, id=number) for row, number in zip(rows, ids, strict=True)]
        if loaded and rng.random() < 0.3:
            loaded.pop(rng.randrange(len(loaded)))
        self.twin.reload_scouting(
            loaded, is_truncated=rng.random() < 0.5, is_at_once=rng.random() < 0.5
        )

    def review(self, rng: Random) -> None:
        """Link a waiting scouting row by hand, register a person for it, set it aside, or move the
        link of one that has one."""
        linked = [r.id for r in self.twin.world.scouting_rows()
                  if names_scout(r) and (SCOUTING, str(r.id)) in self.twin.world.links]  # fmt: skip
        if linked and rng.random() < 0.3:
            self.twin.review(rng.choice(linked), self._person(rng), "move")
            return
        waiting = [r.id for r in self.twin.world.scouting_rows()
                   if names_scout(r) and self.twin.world.person_of_row(r) is None]  # fmt: skip
        if not waiting:
            return
        act = rng.choice(["link", "create", "dismiss"])
        person = self._person(rng) if act == "link" else None
        row_id = rng.choice(waiting)
        self.twin.review(row_id, person, act)

    def undo(self, rng: Random) -> None:
        """Undo one of the last runs, mostly one that did something."""
        runs = self.twin.world.runs
        full = [n for n, run in enumerate(runs) if run.kind != "undo" and not run.is_empty][-4:]
        if full and rng.random() < 0.9:
            self.twin.undo(rng.choice(full))
        elif runs:
            self.twin.undo(rng.randrange(len(runs)))
