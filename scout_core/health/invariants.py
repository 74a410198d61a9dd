"""The invariants: one file of sql/checks each, returning the offending rows. What whoever changes
the database could make such a file say is looked at from outside instead: the seals, and whether
functions, triggers, tables and views are those of this version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain as chained
from typing import Any

from sqlalchemy import Connection, text

from scout_core.db import sql
from scout_core.db.database import CHECK, Database
from scout_core.install import manifest
from scout_core.runs import chain
from scout_core.settings import Settings

SAMPLE_ROWS = 5
FOLDER = sql.ROOT / "health" / "invariants"
# persons from which on a verify that is not full recomputes a sample
LARGE = 200_000
# what settling everything anew puts right
STATE_CHECKS = ("persons_are_as_recomputed", "totals_are_counts", "unlinked_rows_are_as_recomputed")

# what looking at all alerts puts right
ALERT_CHECK = "alerts_match_conditions"
SEAL_CHECK = "seals_hold"
OBJECT_CHECK = "objects_are_as_shipped"
OBJECT_LABEL = (
    "Functions, triggers, tables and views are those of this version, and nothing foreign stands "
    "on them (I13)"
)
KNOWN_SEAL_CHECK = "seal_is_known"


@dataclass(frozen=True)
class CheckResult:
    """One invariant: what must hold, how many rows offend, and the first of them."""

    name: str
    label: str
    offending_count: int
    sample: tuple[dict[str, Any], ...]

    @property
    def holds(self) -> bool:
        """Whether nothing offends."""
        return self.offending_count == 0


def names() -> list[str]:
    """Every check, by name."""
    return sorted([OBJECT_CHECK, *(path.stem for path in FOLDER.glob("*.sql"))])


def verify(
    db: Database, *, is_full: bool = True, settings: Settings | None = None
) -> list[CheckResult]:
    """Every invariant on one snapshot, by name. Writes nothing. settings: null = as noted when it
    was installed.

    Not full: persons are recomputed for a sample where there are more than LARGE of them, which
    takes seconds and not minutes.
    """
    zone = None if settings is None else settings.source_timezone
    known = () if settings is None else settings.event_triggers
    with db.transaction(CHECK) as conn:
        results = check_rows(conn, is_full=is_full)
        # last: it names things in full from here on
        objects = list(manifest.differing(conn, zone=zone, known_event_triggers=known))
    found = chained(objects, manifest.differing_views(db))
    results.append(
        _result(
            OBJECT_CHECK,
            OBJECT_LABEL,
            found,
        )
    )
    return sorted(results, key=lambda result: result.name)


def check_rows(conn: Connection, *, is_full: bool = True) -> list[CheckResult]:
    """Every invariant of what the tables hold, by name: all but OBJECT_CHECK."""
    is_sampled = not is_full and _persons(conn) > LARGE
    return [_check(conn, name, is_sampled=is_sampled) for name in names() if name != OBJECT_CHECK]


@dataclass(frozen=True)
class KeptSeal:
    """A seal that was kept outside: whether the chain has it, and where. place null = nowhere."""

    result: CheckResult
    place: chain.Place | None


def seal_is_known(db: Database, given: str) -> KeptSeal:
    """Look a seal that was kept outside up in the chain. BadInput for a hash that is none."""
    seal_hash = chain.checked_hash(given)
    with db.transaction(CHECK) as conn:
        place = chain.place_of(conn, seal_hash)
    offending = []
    if place is None:
        problem = "is not in the chain, which was cut or made anew"
        offending = [{"seal": seal_hash, "problem": problem}]
    label = "The seal that was given is in the chain (I13)"
    return KeptSeal(_result(KNOWN_SEAL_CHECK, label, offending), place)


def _persons(conn: Connection) -> int:
    return int(conn.execute(sql.query("job/refresh", "facts")).mappings().one()["total_persons"])


def _check(conn: Connection, name: str, *, is_sampled: bool) -> CheckResult:
    path = FOLDER / f"{name}.sql"
    sampled = FOLDER / "sampled" / f"{name}.sql"
    if is_sampled and sampled.is_file():
        path = sampled
    body = path.read_text(encoding="utf-8")
    label = body.splitlines()[0].removeprefix("--").strip()
    if name == SEAL_CHECK:
        return _result(name, label, chain.offending_seals(conn))
    rows = conn.execute(text(body), execution_options={"stream_results": True}).mappings()
    return _result(name, label, (dict(row) for row in rows))


def _result(name: str, label: str, offending: Iterable[Mapping[str, Any]]) -> CheckResult:
    sample: list[dict[str, Any]] = []
    count = 0
    for row in offending:
        count += 1
        if len(sample) < SAMPLE_ROWS:
            sample.append(dict(row))
    return CheckResult(name, label, count, tuple(sample))
