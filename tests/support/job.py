"""Short ways to run the job and to look at what it did, for the tests of runs and faults."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text

from scout_core.access.permissions import Actor
from scout_core.attribution import fingerprint
from scout_core.db.database import CHECK, LOOK, Database
from scout_core.decide import decisions
from scout_core.health import invariants
from scout_core.job.refresh import run_refresh
from scout_core.runs import runner
from scout_core.runs.record import RunResult
from scout_core.settings import Settings, load
from tests.support import factories as new

OPERATOR = Actor("olga", "operator")
RULE = "BACKFILL_SINGLE_SCOUT_FROM_EVENTS"
CROWD = 40
ROWS_ARE_WAITED_FOR = (
    "select count(*) from pg_locks where not granted and locktype in ('transactionid', 'tuple')"
)


def key(name: str) -> UUID:
    """The person of this name: the same key in every database."""
    return uuid5(NAMESPACE_OID, name)


def settings(**environ: str) -> Settings:
    """Settings of the product alone, without `.env`."""
    return load(environ, dotenv=None)


def refresh(db: Database, *, environ: Mapping[str, str] | None = None, **how: Any) -> RunResult:
    """One run by an operator. The guard does not mind small databases."""
    given = {"SCOUT_GUARD_MAX_PCT": "100", **(environ or {})}
    return run_refresh(db, settings(**given), **{"actor": OPERATOR, **how})


def decide(db: Database, name: str, scout: int | None) -> None:
    """What an operator decides of a person, on the evidence as it is: this scout, or none."""
    person = str(key(name))
    with db.transaction(LOOK) as conn:
        seen = fingerprint.seen_of(conn, [person])[person]
    decisions.decide(
        db,
        actor=OPERATOR,
        person_key=person,
        scout_id=scout,
        outcome="NO_SCOUT" if scout is None else "ASSIGN",
        reason_code="OTHER",
        note="called both, the first one registered him",
        seen=seen,
    )


@contextmanager
def writing(url: str, *, application_name: str = "somebody else") -> Iterator[Connection]:
    """A transaction of somebody else, committed at the end."""
    arguments = {"application_name": application_name, "options": "-c timezone=UTC"}
    engine = create_engine(url, poolclass=NullPool, connect_args=arguments)
    with engine.begin() as conn:
        yield conn


def do(url: str, *statements: str) -> None:
    """Statements of somebody else, committed together."""
    with writing(url) as conn:
        for statement in statements:
            conn.execution_options(no_parameters=True).exec_driver_sql(statement)


def rows(url: str, query: str, **parameters: object) -> list[tuple[Any, ...]]:
    """The rows of a query, as plain tuples."""
    with writing(url) as conn:
        return [tuple(row) for row in conn.execute(text(query), parameters)]


def value(url: str, query: str, **parameters: object) -> Any:
    """The first column of the first row."""
    return rows(url, query, **parameters)[0][0]


def wait_until(url: str, query: str) -> None:
    """Until the query gives something else than 0."""
    give_up = time.monotonic() + 30
    while not value(url, query):
        assert time.monotonic() < give_up, query
        time.sleep(0.005)


def crowd(conn: Connection, count: int = CROWD) -> None:
    """Persons of whom nothing else is known, so that a few changes are a small share."""
    conn.execute(
        text(
            "insert into canon.identity_registry (person_key, confidence_level)"
            " select md5('crowd ' || n)::uuid, 'HIGH' from generate_series(1, :count) as n"
        ),
        {"count": count},
    )


def story(url: str, tag: str = "") -> None:
    """A bit of everything: two persons who get their scout, one in conflict, one whose scout
    stands, and scouting rows that match by license, found a person, or name nobody."""
    with writing(url) as conn:
        for name in ("ana", "beto", "carla", "dora", "eva"):
            new.person(conn, key=key(name + tag), license=f"{name}100{tag}".upper())
        new.lead_event(conn, person=key("ana" + tag), scout=7)
        new.ledger(conn, person=key("ana" + tag), evidence_json='{"kept": 1}')
        new.lead_event(conn, person=key("beto" + tag), scout=8)
        new.lead_event(conn, person=key("carla" + tag), scout=7)
        new.lead_event(conn, person=key("carla" + tag), scout=9)
        new.ledger(conn, person=key("dora" + tag), scout=5)
        new.lead_event(conn, person=key("dora" + tag), scout=5)
        new.scouting_row(conn, scout=8, license=f"beto-100{tag}")
        new.scouting_row(conn, scout=6, license=f"eva-100{tag}")
        new.scouting_row(conn, scout=6, license=f"nuevo-100{tag}")
        new.scouting_row(conn, scout=6)


def scouts(url: str) -> dict[UUID, int | None]:
    """Each person of the ledger and the scout there."""
    return dict(rows(url, "select person_key, attributed_scout_id from observational.lead_ledger"))


def run_states(url: str) -> list[tuple[str, str | None]]:
    """Status and reason of failure of every run, oldest first."""
    return rows(
        url,
        "select status::text, error_message::text from ops.ingestion_runs"
        " where job_type::text like 'scout_attribution%' order by id",
    )


def events_of(url: str, run_id: int) -> list[tuple[str, str | None]]:
    """What ops.job_runs_audit keeps of a run: event and step."""
    return rows(
        url,
        "select event, step from ops.job_runs_audit where ingestion_run_id = :run_id order by id",
        run_id=run_id,
    )


def broken(db: Database) -> dict[str, tuple[dict[str, Any], ...]]:
    """The invariants of the rows that do not hold, with offending rows. Empty = all hold.

    Without the check of functions, triggers and views, which takes as long as all others: what
    changes those asks `checks.verify`.
    """
    with db.transaction(CHECK) as conn:
        return {r.name: r.sample for r in invariants.check_rows(conn) if not r.holds}


def broken_at_all(db: Database) -> dict[str, tuple[dict[str, Any], ...]]:
    """The same with functions, triggers and views."""
    return {r.name: r.sample for r in invariants.verify(db) if not r.holds}


def at_point(
    monkeypatch: pytest.MonkeyPatch, point: str, action: Callable[[], object], times: int = 1
) -> list[str]:
    """Do something when a run of this process comes to a point, the first `times` times.

    Returns the list of points, filled as runs pass them.
    """
    passed: list[str] = []

    def at(name: str) -> None:
        passed.append(name)
        if name == point and passed.count(name) <= times:
            action()

    monkeypatch.setattr(runner, "at", at)
    return passed
