"""Change and settle step by step; see at each step who moves, and that nothing shown is stale."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, NullPool, create_engine, text

from scout_core.attribution import settle
from scout_core.db import sql
from scout_core.db.database import Database
from scout_core.health import invariants
from tests.support import factories as new
from tests.support.job import key, writing
from tests.support.worker import Worker

Change = str | Callable[[Connection], object]
NAMES = ("ana", "beto", "carla", "dora", "eva")
GATE = 4_711

PREPARED = {
    name: (sql.ROOT / "health" / "invariants" / f"{name}.sql").read_text(encoding="utf-8")
    for name in invariants.STATE_CHECKS
} | {
    "shown": "select person_key, n::text from scout.v_persons_now as n",
    "reasons": "select person_key, reason_code from scout.v_person_attribution",
    "to_judge": "select source_pk from scout.v_rows_to_judge",
    "pending": "select count(*) from scout.pending_persons",
    "settled": "select person_key, xmin::text, ctid::text from scout.person_attribution",
}


class Scene:
    """Five persons, of whom eva has something in every source and is never touched; all settled.

    One connection looks, with plans that are made once.
    """

    def __init__(self, db: Database, url: str, looking: Connection) -> None:
        self.db = db
        self.url = url
        self._looking = looking
        self._prepared: set[str] = set()
        self.ids: dict[str, Any] = {}

    def look(self, name: str) -> list[tuple[Any, ...]]:
        """The rows of one of PREPARED."""
        if name not in self._prepared:
            body = re.sub(r"^--.*$", "", PREPARED[name], flags=re.MULTILINE).strip().rstrip(";")
            self._looking.exec_driver_sql(f"prepare {name} as {body}")
            self._prepared.add(name)
        return [tuple(row) for row in self._looking.exec_driver_sql(f"execute {name}")]

    def shown(self) -> dict[UUID, str]:
        """The row that is shown of each person."""
        return dict(self.look("shown"))

    def stale(self) -> dict[str, list[tuple[Any, ...]]]:
        """What is shown and not so, by check. Empty = all is exact."""
        found = {name: self.look(name) for name in invariants.STATE_CHECKS}
        return {name: rows for name, rows in found.items() if rows}

    def settle(self, **how: Any) -> settle.Settled:
        """Settle what is pending: nothing that is shown may change."""
        before = self.shown()
        done = settle.settle(self.db, **how)
        assert self.shown() == before
        assert self.stale() == {}
        return done

    def do(self, *changes: Change) -> None:
        """Somebody else changes the sources, in one transaction."""
        with writing(self.url) as conn:
            for change in changes:
                if callable(change):
                    change(conn)
                else:
                    conn.execution_options(no_parameters=True).exec_driver_sql(change)

    def step(self, *changes: Change, moves: str = "", settles: bool = True) -> None:
        """Change something: exactly these persons (names) move, and nothing shown is stale."""
        before = self.shown()
        self.do(*changes)
        after = self.shown()
        moved = {who for who in before.keys() | after.keys() if before.get(who) != after.get(who)}
        assert moved == {key(name) for name in moves.split()}, changes
        assert self.stale() == {}, changes
        if settles:
            self.settle()
            assert self.look("pending") == [(0,)]

    def make(self, name: str, factory: Callable[..., Any], **values: Any) -> Change:
        """A change that makes a row and keeps its key as self.ids[name]."""

        def change(conn: Connection) -> None:
            self.ids[name] = factory(conn, **values)

        return change


@contextmanager
def scene(db: Database, url: str) -> Iterator[Scene]:
    """A scene, with its people settled."""
    with writing(url) as conn:
        people(conn)
    settle.settle(db)
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect().execution_options(no_parameters=True) as looking:
        looking.exec_driver_sql("set plan_cache_mode = force_generic_plan; set jit = off")
        yield Scene(db, url, looking)


def people(conn: Connection) -> None:
    """Ana to dora, of whom nothing is known, and eva, of whom there is something everywhere."""
    for name in NAMES:
        new.person(conn, key=key(name))
    eva = key("eva")
    new.driver(conn, key="eva's", person=eva)
    new.migration(conn, scout=5, driver="eva's")
    new.payment(conn, scout=5, driver="eva's")
    new.payment(conn, scout=5, person=eva)
    new.lead_event(conn, person=eva, scout=5)
    new.ledger(conn, person=eva, scout=5)
    row = new.scouting_row(conn, scout=5, license="EVA55555", phone="955555555")
    new.link(conn, person=eva, table="module_ct_scouting_daily", pk=row)


def md5_key(conn: Connection, scouting_row: int) -> str:
    """The older key of a scouting row."""
    query = text("select md5_key from scout.src_scouting_daily where row_id = :row")
    return str(conn.execute(query, {"row": scouting_row}).scalar_one())


def gate_on(url: str, table: str) -> None:
    """From now on whoever writes into this table waits while somebody holds the gate."""
    with writing(url) as conn:
        conn.execution_options(no_parameters=True).exec_driver_sql(
            "create function public.test_gate() returns trigger language plpgsql security definer"
            f" as $$ begin perform pg_advisory_xact_lock_shared({GATE}); return new; end $$;"
            f" create trigger test_gate before insert or update on {table}"
            " for each row execute function public.test_gate()"
        )


@contextmanager
def gate_closed(url: str) -> Iterator[None]:
    """Whoever comes to the gate waits until the end of the block."""
    with writing(url) as conn:
        conn.exec_driver_sql(f"select pg_advisory_xact_lock({GATE})")
        yield


AT_THE_GATE = (
    "select count(*) from pg_locks where locktype = 'advisory' and not granted"
    f" and objid = {GATE} and database = (select oid from pg_database where"
    " datname = current_database())"
)


def settling(url: str, *, how: str = "settle", rows: int = 1) -> Worker:
    """A worker that settles once it hears anything, batch by batch or (how="build") everything in
    ranges, of so many rows each; it tells of each batch and goes on when it hears of it."""
    worker = Worker(_settle, url, how, rows)
    assert worker.hears() == "ready"
    return worker


def _settle(pipe: Pipe, url: str, how: str, rows: int) -> None:
    db = Database(url)

    def told(done: int, total: int) -> None:
        pipe.send((done, total))
        pipe.recv()

    pipe.send("ready")
    pipe.recv()
    if how == "build":
        settle.RANGE_ROWS = rows
        settle.build(db, progress=told)
    else:
        settle.settle(db, batch_rows=rows, wait=True, progress=told)
    pipe.send("done")
