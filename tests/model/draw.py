"""Random values of few kinds, so that everything collides: keys, scouts, days, payloads."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.model.twin import Twin
from tests.model.world import SCOUTING, ScoutingRow

PERSONS = [str(uuid.UUID(int=n, version=4)) for n in range(1, 21)]
SCOUTS = [5, 7, 9, 2147483647]
LICENSES = [
    "Q1234567",
    "q-1234567",
    "R7654321",
    "r 7654321",
    "S000111",
    "O000111",
    "T55 5555",
    "S000111.0",
]
PHONES = [
    "999888771",
    "+51 999 888 771",
    "999-888-772",
    "0051999888772",
    "51999888773",
    "999888773.0",
]
NO_LICENSE = [
    *(None, "", "NO TIENE", "S/N", "-", "Q123", "7.12E+07", "00000000", "EN TRAMITE 2025"),
]
NO_PHONE = [
    *(None, "no tiene", "999999999", "987654321", "123456789", "888777666", "9998887711"),
    *("9.99888771E8", "999888771 anexo 12"),
]
DAYS = ["2024-03-01", "2024-03-02", "2025-07-31", "2025-12-31", "2026-01-01"]
STRANGE_DAYS = ["9999-12-31", "infinity", "0044-03-15 BC", "10000-01-01", "1899-12-31"]
GARBAGE: list[Any] = ["S-12", "12.0", 12.5, -5, 0, True, [12], {"id": 12}, "\u0661\u0662", 2**31]
WRONG_SHAPES = ["[12]", "12", "null", '"5"']
PAST, FUTURE = datetime(2024, 5, 1, 4, 30, tzinfo=UTC), datetime(2150, 1, 1, 4, 30, tzinfo=UTC)


class Draw:
    """Draws values for a twin; ids, times and unused keys never come twice."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self._minutes: set[int] = set()
        self._ids: set[int] = set()
        self._keys = 0

    def _id(self, rng: Random) -> int:
        """An id in no order, so that later rows may come before earlier ones."""
        number = rng.randint(1, 150)
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

    def _maybe_old(self, rng: Random) -> datetime:
        # never none: then it would be as old as our first look, of which the model knows nothing
        return PAST if rng.random() < 0.1 else self._created_at(rng)

    def _scout(self, rng: Random) -> int | None:
        """Mostly the same one, so that about half of the persons have one scout only."""
        return 5 if rng.random() < 0.75 else rng.choice([5, 5, 7, 7, 7, 9, None, 2147483647])

    def _column(self, rng: Random) -> int | None:
        """What a column of a scout holds; for events often nothing, so that the payload counts."""
        return rng.choice([0, -5]) if rng.random() < 0.06 else self._scout(rng)

    def _day(self, rng: Random) -> str:
        return rng.choice(STRANGE_DAYS) if rng.random() < 0.06 else rng.choice(DAYS)

    def _license(self, rng: Random) -> str | None:
        return rng.choice(LICENSES) if rng.random() < 0.7 else rng.choice(NO_LICENSE)

    def _phone(self, rng: Random) -> str | None:
        return rng.choice(PHONES) if rng.random() < 0.75 else rng.choice(NO_PHONE)

    def _person(self, rng: Random) -> str:
        """Half the time one whose ledger has no scout yet: there is more to decide."""
        world = self.twin.world
        missing = [key for key in world.persons if world.ledger_scout(key) is None]
        return rng.choice(missing if missing and rng.random() < 0.5 else list(world.persons))

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

    def _unused_keys(self) -> tuple[str, str]:
        """A license and a phone that nobody has shown yet."""
        self._keys += 1
        return f"N{self._keys:07d}", f"94{self._keys:07d}"

    def _has_old_key(self, row: ScoutingRow) -> bool:
        """True when the older system could have linked the row: a usual day, not linked yet."""
        usual = row.registration_date is None or row.registration_date in DAYS
        return usual and (SCOUTING, row.old_key) not in self.twin.world.links
