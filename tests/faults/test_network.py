"""A network that refuses, resets, swallows or delays everything: nothing hangs (C8)."""

import threading
import time
from collections.abc import Iterator

import pytest

from scout_core import cli
from scout_core.attribution import coverage
from scout_core.db import watchdog
from scout_core.db.database import API, CONNECT_SECONDS, JOB, LOOK, Database, Profile
from scout_core.errors import DatabaseAway
from tests.support import web
from tests.support.asking import asking
from tests.support.job import at_point, refresh, run_states, story
from tests.support.looking import refreshed_demo
from tests.support.proxy import Proxy, proxied
from ui.parts import read

BAD = ["refused", "reset", "black hole"]


@pytest.fixture(scope="module")
def shared(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as database:
        yield database


@pytest.fixture
def net(shared: Database) -> Iterator[tuple[Proxy, Database]]:
    """A demo database behind a network."""
    with proxied(shared.url) as proxy:
        database = Database(proxy.url(shared.url))
        yield proxy, database
        database.dispose()


@pytest.fixture
def impatient(monkeypatch):
    """Long transactions are looked after in tenths of a second."""
    monkeypatch.setattr(watchdog, "PROBE_SECONDS", 0.3)
    monkeypatch.setattr(watchdog, "FAILED_PROBES", 1)
    monkeypatch.setattr("scout_core.db.database.CONNECT_SECONDS", 2)


@pytest.fixture
def hurried(monkeypatch):
    """What is given up after eight seconds is given up after one."""
    monkeypatch.setitem(vars(API), "wall_seconds", 1)
    monkeypatch.setitem(read.guarded.__kwdefaults__, "wait", 1.0)
    monkeypatch.setattr("scout_core.db.database.CONNECT_SECONDS", 2)


def test_whatever_is_waited_for_together_stays_within_ten_seconds():
    assert API.wall_seconds < 10
    assert read.WAIT < 10
    # a connection of the pool, then one that is opened anew
    assert 3 + CONNECT_SECONDS < 10


@pytest.mark.parametrize("mode", BAD)
def test_api_answers_503_within_ten_seconds_and_200_when_it_is_back(hurried, net, mode):
    proxy, database = net
    with asking(database) as ask:
        assert ask.get("scouts/attribution/metrics").status_code == 200
        proxy.be(mode)
        began = time.monotonic()
        assert ask.get("scouts/attribution/metrics").status_code == 503
        assert ask.root.get("/health").status_code == 503
        assert time.monotonic() - began < 8
        if mode != "refused":
            proxy.be("good")
            assert ask.get("scouts/attribution/metrics").status_code == 200


@pytest.mark.parametrize("mode", BAD)
def test_page_shows_the_last_numbers_with_their_time_within_ten_seconds(hurried, net, mode):
    proxy, database = net
    with web.on(database):
        page = web.open_page("health")
        assert not page.exception
        before = read.one(coverage.snapshot)
        proxy.be(mode)
        read.forget()
        began = time.monotonic()
        page.run(timeout=30)
        assert time.monotonic() - began < 8
        assert not page.exception
        after = read.one(coverage.snapshot)
        assert after.is_late
        assert (after.value, after.at) == (before.value, before.at)
        assert "La base no responde desde" in web.words(page)


def test_slow_network_costs_time_and_nothing_else(net):
    proxy, database = net
    with asking(database) as ask:
        expected = ask.get("scouts/attribution/alerts").json()
        proxy.be("slow")
        assert ask.get("scouts/attribution/alerts").json() == expected


def test_statement_in_a_black_hole_ends_at_its_time_and_leaves_the_pool_usable(net):
    proxy, database = net
    short = Profile("short", "scout_reader", 2_000, 5_000, is_read_only=True, wall_seconds=1)
    began = time.monotonic()

    def read_through_it() -> None:
        with database.transaction(short) as conn:
            proxy.be("black hole")
            conn.exec_driver_sql("select 1")

    with pytest.raises(DatabaseAway):
        read_through_it()
    assert 0.9 < time.monotonic() - began < 4
    proxy.be("good")
    with database.transaction(LOOK) as conn:
        assert conn.exec_driver_sql("select 1").scalar() == 1
    assert watchdog._clock.guards == set()


def test_transaction_within_its_time_is_left_alone(net):
    _, database = net
    short = Profile("short", "scout_reader", 2_000, 5_000, is_read_only=True, wall_seconds=1)
    with database.transaction(short) as conn:
        conn.exec_driver_sql("select 1")
    time.sleep(1.3)
    with database.transaction(API) as conn:
        # the same connection, for somebody else
        assert conn.exec_driver_sql("select pg_sleep(0.5), 1").one()[1] == 1


def test_long_statement_goes_on_while_the_server_can_be_reached(net, impatient):
    _, database = net
    with database.transaction(JOB) as conn:
        assert conn.exec_driver_sql("select pg_sleep(2.5), 1").one()[1] == 1


def test_run_in_a_black_hole_ends_with_75_and_the_next_start_closes_it(
    db, db_url, impatient, monkeypatch, capsys
):
    story(db_url)
    with proxied(db_url) as proxy:
        behind = Database(proxy.url(db_url))
        monkeypatch.setenv("DATABASE_URL", behind.url)
        at_point(monkeypatch, "mid work", lambda: proxy.be("black hole"))
        began = time.monotonic()
        assert cli.run(["refresh"]) == 75
        assert time.monotonic() - began < 30
        assert "database" in capsys.readouterr().err
        behind.dispose()
    refresh(db)
    assert [status for status, _ in run_states(db_url)] == ["FAILED", "COMPLETED"]


def test_who_waits_for_a_connection_is_not_kept_waiting(hurried, net):
    proxy, database = net
    proxy.be("black hole")
    started = time.monotonic()
    failed = []

    def ask() -> None:
        try:
            with database.transaction(API) as conn:
                conn.exec_driver_sql("select 1")
        except DatabaseAway:
            failed.append(time.monotonic() - started)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(failed) == 4
    assert max(failed) < 5
