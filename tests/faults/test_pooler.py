"""A PgBouncer in transaction mode before the database: all works, and nothing that belongs to a
session is left to whoever gets the connection next (C2)."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text

from scout_core.access.permissions import Actor
from scout_core.attribution import fingerprint, settle
from scout_core.db.database import LOOK, Database
from scout_core.decide import decisions
from scout_core.decide.undo import run_undo
from scout_core.errors import DatabaseAway, RunBusy, ScoutError
from scout_core.install import init
from scout_core.install.uninstall import uninstall
from scout_core.runs.record import RunResult
from tests.support import web
from tests.support.asking import asking
from tests.support.job import (
    OPERATOR,
    at_point,
    broken,
    decide,
    key,
    refresh,
    run_states,
    scouts,
    settings,
    story,
    value,
)
from tests.support.pooler import pooled
from tests.support.worker import refreshing

Found = dict[str, set[tuple[Any, ...]]]
SIZE = 4  # connections to the server that docs/settings.md asks for
SESSION = {
    "role": "select current_user",
    "settings": "select name, setting from pg_settings where context in ('user', 'superuser')"
    " and name <> 'application_name' and name not like 'plpgsql.%'",
    "marks": "select nullif(current_setting('scout.run_id', true), ''),"
    " nullif(current_setting('scout.exact', true), '')",
    "locks": "select classid, objid from pg_locks where pid = pg_backend_pid()"
    " and locktype = 'advisory'",
    "channels": "select pg_listening_channels()",
    "statements": "select name from pg_prepared_statements",
    "cursors": "select name from pg_cursors where is_holdable",
    "tables": "select relname from pg_class where relpersistence = 't'",
}


@pytest.fixture
def pooled_url(db_url: str) -> Iterator[str]:
    """The installed database, behind the pooler."""
    with pooled(db_url, size=SIZE) as url:
        yield url


@pytest.fixture
def behind(pooled_url: str) -> Iterator[Database]:
    """The same, as the product opens it."""
    database = Database(pooled_url)
    yield database
    database.dispose()


def session(conn: Connection) -> Found:
    return {
        what: {tuple(row) for row in conn.execute(text(query))} for what, query in SESSION.items()
    }


def left_behind(pooled_url: str, url: str) -> Found:
    """In what the sessions behind the pooler differ from a new one."""
    with create_engine(url, poolclass=NullPool).connect() as conn:
        fresh = session(conn)
    left: Found = {}
    engine = create_engine(pooled_url, poolclass=NullPool)
    with ExitStack() as stack:
        # transactions that are open together have each a connection of its own
        for conn in [stack.enter_context(engine.connect()) for _ in range(SIZE)]:
            for what, found in session(conn).items():
                if found != fresh[what]:
                    left.setdefault(what, set()).update(found ^ fresh[what])
    return left


def test_everything_works_behind_a_pooler_and_leaves_no_trace_in_its_sessions(
    source_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle.Keeper, "PAUSE_SECONDS", 0.05)
    with pooled(source_db, size=SIZE) as url:
        behind = Database(url)
        init.init(behind, settings(), report=lambda _: None)
        assert init.init(behind, settings(), report=lambda _: None).is_nothing

        keeper = settle.Keeper(lambda: behind)
        story(source_db)
        give_up = time.monotonic() + 20
        while value(source_db, "select count(*) from scout.person_attribution") < 5:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        run = refresh(behind)
        assert scouts(source_db) == {key("ana"): 7, key("beto"): 8, key("dora"): 5}

        carla = str(key("carla"))
        with behind.transaction(LOOK) as conn:
            seen = fingerprint.seen_of(conn, [carla])[carla]
        decisions.decide(
            behind,
            person_key=carla,
            scout_id=9,
            outcome="ASSIGN",
            reason_code="OTHER",
            note="called both, the first one registered her",
            actor=Actor("luz", "analyst"),
            seen=seen,
        )
        assert scouts(source_db)[key("carla")] == 9

        with web.on(behind):
            page = web.open_page("health")
            assert not page.exception
            assert "La base no responde" not in web.words(page)
        with asking(behind) as ask:
            metrics = ask.get("scouts/attribution/metrics")
            assert metrics.status_code == 200

        run_undo(behind, actor=OPERATOR, run_id=run.run_id, reason="the wrong scouts were given")
        assert scouts(source_db)[key("ana")] is None
        keeper.stop()
        assert broken(behind) == {}
        assert left_behind(url, source_db) == {}
        uninstall(behind, report=lambda _: None)
        behind.dispose()


def test_starts_at_once_are_one_run_whose_id_the_others_are_told(
    behind: Database, pooled_url: str, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty starts of ten processes share the few connections of the pooler."""
    story(db_url)
    pools = [Database(pooled_url) for _ in range(10)]
    answered = threading.Semaphore(0)
    at_point(monkeypatch, "mid work", lambda: [answered.acquire(timeout=60) for _ in range(49)])
    ends: list[RunResult | ScoutError] = []

    def start(db: Database) -> None:
        try:
            ends.append(refresh(db))
        except ScoutError as exc:
            ends.append(exc)
            answered.release()

    threads = [threading.Thread(target=start, args=[db]) for db in pools for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for db in pools:
        db.dispose()
    (done,) = [end for end in ends if isinstance(end, RunResult)]
    refused = [end.run_id for end in ends if isinstance(end, RunBusy)]
    assert refused == [done.run_id] * 49
    assert run_states(db_url) == [("COMPLETED", None)]
    assert left_behind(pooled_url, db_url) == {}
    assert broken(behind) == {}


def test_next_start_takes_over_from_a_client_that_was_killed_behind_the_pooler(
    behind: Database, pooled_url: str, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    story(db_url)
    worker = refreshing(pooled_url, kill_at="mid work")
    worker.pipe.send("go")
    worker.ends()
    begun = time.monotonic()
    taken: list[float] = []
    at_point(monkeypatch, "after lock", lambda: taken.append(time.monotonic() - begun))
    refresh(behind)
    assert taken[0] < 3
    assert run_states(db_url) == [("FAILED", "worker lost"), ("COMPLETED", None)]
    assert left_behind(pooled_url, db_url) == {}
    assert broken(behind) == {}


def test_pooler_without_a_free_connection_stops_the_run_before_it_begins(db_url: str) -> None:
    """A run needs a second connection beside the one that works."""
    with pooled(db_url, size=1, patience=1) as url:
        behind = Database(url)
        with pytest.raises(DatabaseAway, match="a pooler before it has connections free"):
            refresh(behind)
        behind.dispose()
    assert run_states(db_url) == []


def test_decision_beside_a_refresh_finds_its_connections(
    db: Database, db_url: str, pooled_url: str, monkeypatch
) -> None:
    """Each holds one, and needs another for what it notes while the other is at work."""
    story(db_url)
    behind, beside = Database(pooled_url), Database(pooled_url)
    refresh(behind)
    at_work, go_on = threading.Event(), threading.Event()

    def meet() -> None:
        at_work.set()
        assert go_on.wait(30)

    at_point(monkeypatch, "mid work", meet)
    with ThreadPoolExecutor() as pool:
        run = pool.submit(refresh, behind)
        assert at_work.wait(30)
        decide(beside, "carla", 9)
        go_on.set()
        assert run.result(30).status == "COMPLETED"
    assert scouts(db_url)[key("carla")] == 9
    assert broken(db) == {}
    behind.dispose()
    beside.dispose()
