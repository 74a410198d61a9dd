"""`notify` and the pings of a scheduled run, as a person or a scheduler starts them."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scout_core import cli
from scout_core.errors import DatabaseAway
from scout_core.notify import heartbeat as ping_module
from tests.support.job import rows, story, value
from tests.support.receiver import SECRET, Receiver, receiving
from tests.support.telling import told, write

Verb = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def verb(db_url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Verb:
    """Run a verb on the test's database: its exit code, its object, all that it said."""
    monkeypatch.setenv("DATABASE_URL", db_url)
    monkeypatch.setenv("SCOUT_GUARD_MAX_PCT", "100")

    def run(*args: str, **environ: str) -> tuple[int, dict[str, Any], str]:
        for name, given in environ.items():
            monkeypatch.setenv(name, given)
        code = cli.run((*args, "--json"))
        said = capfd.readouterr()
        return code, json.loads(said.out), said.out + said.err

    return run


def test_notify_test_says_of_each_channel_whether_it_took_the_message(
    verb: Verb, db_url: str, receiver: Receiver
):
    bad = f"json://127.0.0.1:1/{SECRET}"
    code, found, said = verb("notify", "test", SCOUT_NOTIFY_URLS=f"{receiver.url},{bad}")
    assert code == 1
    assert [one["outcome"] for one in found["channels"]] == ["SENT", "NO_ANSWER"]
    assert receiver.titles == ["Scouts · mensaje de prueba"]
    assert SECRET not in said
    log = rows(db_url, "select is_ok, delivery_id, actor <> '' from scout.delivery_log order by id")
    assert log == [(True, None, True), (False, None, True)]
    assert verb("notify", "test", SCOUT_NOTIFY_URLS=receiver.url)[0] == 0
    assert verb("notify", "test", SCOUT_NOTIFY_URLS="")[:2] == (1, {"channels": []})


def test_dead_letters_are_listed_retried_and_dropped(
    verb: Verb, db: Any, db_url: str, receiver: Receiver
):
    settings = told(receiver.url)
    for _ in range(2):
        write(db, settings)
    dead = (
        "update scout.deliveries set state = 'DEAD', ended_at = now(), last_outcome = 'TIMEOUT'"
        " returning delivery_id"
    )
    first, second = (row[0] for row in rows(db_url, dead))
    environ = {"SCOUT_NOTIFY_URLS": receiver.url}
    code, found, _ = verb("notify", "list", **environ)
    assert (code, found["waiting"]["dead_count"]) == (0, 2)
    assert [m["deliveries"][0]["state"] for m in found["messages"]] == ["DEAD", "DEAD"]
    assert found["messages"][0]["opened"] == {"NEW_CONFLICT": 2}
    code, found, _ = verb("notify", "retry", str(first), **environ)
    assert (code, found["retried"], found["told"]["sent"]) == (0, 1, 1)
    assert len(receiver.got) == 1
    assert verb("notify", "drop", **environ)[1] == {"dropped": 1}
    states = "select delivery_id, state, actor <> '' from scout.deliveries order by delivery_id"
    assert rows(db_url, states) == [(first, "SENT", True), (second, "DROPPED", True)]


def test_dead_and_hanging_channels_neither_fail_nor_slow_a_run(
    verb: Verb, db: Any, db_url: str, receiver: Receiver
):
    """The run as the database has it is over before anybody is told."""
    receiver.mood = "trickling"
    environ = {
        "SCOUT_NOTIFY_URLS": f"{receiver.url}, json://127.0.0.1:1/{SECRET}",
        "SCOUT_NOTIFY_TIMEOUT_SECONDS": "2",
    }
    story(db_url)
    code, found, said = verb("refresh", "--trigger", "cron", **environ)
    assert code == 0
    run_id = found["run"]["run_id"]
    states = (
        "select state, attempts, last_outcome from scout.deliveries where attempts > 0"
        " order by last_outcome"
    )
    assert rows(db_url, states) == [("PENDING", 1, "NO_ANSWER"), ("PENDING", 1, "TIMEOUT")]
    is_before = (
        "select r.completed_at < min(l.recorded_at) - interval '1 second'"
        " from ops.ingestion_runs as r, scout.delivery_log as l"
        " where r.id = :run_id and l.outcome = 'TIMEOUT' group by r.completed_at"
    )
    assert value(db_url, is_before, run_id=run_id)
    assert SECRET not in said


@pytest.mark.parametrize("path", ["", "?rid=7"])
def test_scheduled_run_pings_start_and_end_and_nobody_else_does(
    verb: Verb, receiver: Receiver, path: str
):
    ping = f"http://127.0.0.1:{receiver.port}/ping/{SECRET}{path}"
    assert verb("refresh", SCOUT_PING_URL=ping)[0] == 0
    assert receiver.asked == []
    assert verb("refresh", "--trigger", "cron", SCOUT_PING_URL=ping)[0] == 0
    assert receiver.asked == [f"/ping/{SECRET}/start{path}", f"/ping/{SECRET}{path}"]


def test_failed_run_pings_fail_and_a_busy_one_nothing(
    verb: Verb, receiver: Receiver, db: Any, monkeypatch: pytest.MonkeyPatch
):
    from scout_core.db.database import JOB
    from scout_core.runs import lock, runner

    ping = f"http://127.0.0.1:{receiver.port}/{SECRET}"
    holder = db.begin(JOB)
    assert lock.try_lock(holder.conn, "refresh")
    assert verb("refresh", "--trigger", "cron", SCOUT_PING_URL=ping)[0] == 75
    assert receiver.asked == []
    holder.rollback()

    def away(point: str) -> None:
        if point == "mid work":
            raise DatabaseAway

    monkeypatch.setattr(runner, "at", away)
    assert verb("refresh", "--trigger", "cron", SCOUT_PING_URL=ping)[0] == 75
    assert receiver.asked == [f"/{SECRET}/start", f"/{SECRET}/fail"]


@pytest.mark.parametrize("mood", ["down", "hanging", "error", "elsewhere"])
def test_ping_that_nobody_takes_fails_nothing_and_tells_no_address(
    verb: Verb,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    mood: str,
):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(ping_module, "PING_SECONDS", 1.0)
    port = receiver.port
    if mood == "down":
        port = 1
    else:
        receiver.mood = mood  # type: ignore[assignment]
    begun = time.monotonic()
    ping = f"http://127.0.0.1:{port}/{SECRET}"
    code, found, said = verb("refresh", "--trigger", "cron", SCOUT_PING_URL=ping)
    assert (code, found["run"]["status"]) == (0, "COMPLETED")
    assert time.monotonic() - begun < 10
    assert "/stolen" not in receiver.asked
    assert "not pinged" in said
    assert SECRET not in said + caplog.text
