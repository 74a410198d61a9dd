"""Connections cut, the server stopped, tables locked: no partial effect, the next run heals."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scout_core import embedded
from scout_core.db.database import JOB, Database, Transaction
from scout_core.errors import DatabaseAway, DatabaseError, ScoutError
from scout_core.runs import lock, runner
from tests.support import databases
from tests.support.job import (
    at_point,
    broken,
    do,
    events_of,
    key,
    refresh,
    run_states,
    scouts,
    story,
    value,
    writing,
)
from tests.support.state import Effects, effects

CUT = (
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
    " where datname = current_database() and application_name = 'scout' and {which}"
)
WORK = "pid in (select pid from pg_locks where locktype = 'advisory')"
CONTROL = "pid not in (select pid from pg_locks where locktype = 'advisory')"
POINTS = ["after run row", "mid work", "before commit"]


@pytest.fixture(scope="module")
def done(server_url: str) -> Iterator[Effects]:
    """The effects of a run over the story in which nothing fails."""
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        story(url)
        database = Database(url)
        refresh(database)
        database.dispose()
        yield effects(url)


@pytest.mark.parametrize("point", POINTS)
def test_cut_work_connection_leaves_it_failed_and_no_effect(
    db: Database, db_url: str, done: Effects, monkeypatch, point: str
):
    story(db_url)
    before = effects(db_url)
    at_point(monkeypatch, point, lambda: do(db_url, CUT.format(which=WORK)))
    with pytest.raises(DatabaseAway) as away:
        refresh(db)
    assert away.value.exit_code == 75
    assert effects(db_url) == before
    ((status, reason),) = run_states(db_url)
    assert (status, "connection to the database was lost" in str(reason)) == ("FAILED", True)
    assert events_of(db_url, value(db_url, "select run_id from scout.runs"))[-1][0] == "FAILED"
    assert broken(db) == {}
    refresh(db)
    assert effects(db_url) == done


def test_cut_control_connection_is_opened_anew_and_the_run_goes_on(
    db: Database, db_url: str, done: Effects, monkeypatch
):
    story(db_url)
    at_point(monkeypatch, "mid work", lambda: do(db_url, CUT.format(which=CONTROL)))
    refresh(db)
    assert [status for status, _ in run_states(db_url)] == ["COMPLETED"]
    assert effects(db_url) == done
    assert broken(db) == {}


def test_cut_of_both_connections_is_closed_by_the_next_start(
    db: Database, db_url: str, done: Effects, monkeypatch
):
    """Not even the failure can be written: as after a kill."""
    story(db_url)
    before = effects(db_url)

    def cut_all_and_let_nobody_in() -> None:
        do(db_url, CUT.format(which="true"))
        monkeypatch.setattr(Database, "begin", refuse)

    def refuse(self: Database, profile: object) -> Transaction:
        raise DatabaseAway

    begin = Database.begin
    at_point(monkeypatch, "mid work", cut_all_and_let_nobody_in)
    with pytest.raises(DatabaseAway):
        refresh(db)
    assert run_states(db_url) == [("RUNNING", None)]
    assert effects(db_url) == before
    monkeypatch.setattr(Database, "begin", begin)
    refresh(db)
    assert run_states(db_url) == [("FAILED", "worker lost"), ("COMPLETED", None)]
    assert effects(db_url) == done


def test_connection_lost_while_the_commit_arrives_is_looked_up(
    db: Database, db_url: str, monkeypatch
):
    story(db_url)
    commit = Transaction.commit

    def committed_but_nobody_says_so(self: Transaction) -> None:
        commit(self)
        raise DatabaseAway

    def last_commit() -> None:
        monkeypatch.setattr(Transaction, "commit", lose_once)

    def lose_once(self: Transaction) -> None:
        monkeypatch.setattr(Transaction, "commit", commit)
        committed_but_nobody_says_so(self)

    at_point(monkeypatch, "before commit", last_commit)
    result = refresh(db)
    assert result.status == "COMPLETED"
    assert run_states(db_url) == [("COMPLETED", None)]
    assert value(db_url, "select count(*) from ops.lead_ledger_scout_backfill_audit") == 3
    assert broken(db) == {}


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A server that may be stopped, with a template of the product."""
    folder: Path = tmp_path_factory.mktemp("own")
    databases.installed_template(start(folder).url_of("postgres"))
    yield folder
    embedded.stop(folder)


def start(folder: Path) -> embedded.Server:
    """What a killed server needs is in its files without fsync, which is for a power cut."""
    return embedded.start(folder, options={"fsync": "off"})


def stop_at_once(folder: Path) -> None:
    """Immediate: no checkpoint, recovery at the next start."""
    server = embedded.status(folder)
    assert server is not None
    os.kill(server.pid, signal.SIGQUIT)
    give_up = time.monotonic() + 30
    while embedded.status(folder) is not None:
        assert time.monotonic() < give_up
        time.sleep(0.02)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("point", ["after lock", "mid work", "before commit", "after commit"])
def test_server_stopped_in_mid_run_comes_back_with_all_or_nothing(
    own_server: Path, done: Effects, monkeypatch, point: str
):
    server_url = start(own_server).url_of("postgres")
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        story(url)
        before = effects(url)
        at_point(monkeypatch, point, lambda: stop_at_once(own_server))
        db = Database(url)
        with pytest.raises(ScoutError) as away:
            refresh(db)
        assert away.value.exit_code == 75
        db.dispose()

        start(own_server)
        assert effects(url) == (done if point == "after commit" else before)
        again = Database(url)
        refresh(again)
        assert effects(url) == done
        lost = {"after lock": [], "after commit": [("COMPLETED", None)]}
        states = run_states(url)
        assert states == [*lost.get(point, [("FAILED", "worker lost")]), ("COMPLETED", None)]
        assert broken(again) == {}
        again.dispose()


def test_start_with_the_server_down_is_told_to_try_later(own_server: Path):
    url = start(own_server).url_of("postgres")
    stop_at_once(own_server)
    db = Database(url)
    with pytest.raises(DatabaseAway) as away:
        refresh(db)
    assert away.value.exit_code == 75
    db.dispose()


WAITS_FOR_LEDGER = (
    "select count(*) from pg_locks where not granted"
    " and relation = 'observational.lead_ledger'::regclass"
    # clones of a template number their tables alike
    " and database = (select oid from pg_database where datname = current_database())"
)
LEDGER = "lock table observational.lead_ledger in share row exclusive mode"


@pytest.fixture
def impatient(monkeypatch) -> None:
    """The job waits for a lock for 0.4 s only."""
    hasty = replace(JOB, lock_timeout=400)
    monkeypatch.setitem(lock.PROFILES, "refresh", hasty)


def test_table_locked_by_somebody_for_a_while_is_tried_again(
    db: Database, db_url: str, impatient: None
):
    story(db_url)
    locked = threading.Event()

    def holds() -> None:
        with writing(db_url) as conn:
            conn.exec_driver_sql(LEDGER)
            locked.set()
            # until the job has waited for it in vain
            for is_waited_for in (True, False):
                give_up = time.monotonic() + 20
                while bool(value(db_url, WAITS_FOR_LEDGER)) is not is_waited_for:
                    assert time.monotonic() < give_up
                    time.sleep(0.01)

    holder = threading.Thread(target=holds)
    holder.start()
    locked.wait(10)
    result = refresh(db)
    holder.join()
    assert result.status == "COMPLETED"
    assert scouts(db_url) == {key("ana"): 7, key("beto"): 8, key("dora"): 5}
    # a step may be logged twice, its effects are there once
    steps = [step for _, step in events_of(db_url, result.run_id)]
    assert steps.count("link") == 2
    assert value(db_url, "select count(*) from ops.identity_links_backfill_audit") == 4
    assert broken(db) == {}


def test_table_locked_for_long_fails_the_run_after_three_tries(
    db: Database, db_url: str, impatient: None
):
    story(db_url)
    before = effects(db_url)
    with writing(db_url) as conn:
        conn.exec_driver_sql(LEDGER)
        with pytest.raises(DatabaseError, match="Somebody else holds a lock"):
            refresh(db)
    assert effects(db_url) == before
    ((status, reason),) = run_states(db_url)
    assert (status, "Somebody else holds a lock" in str(reason)) == ("FAILED", True)
    run_id = value(db_url, "select run_id from scout.runs")
    assert [step for _, step in events_of(db_url, run_id)].count("link") == runner.TRIES
    refresh(db)
    assert scouts(db_url)[key("ana")] == 7
