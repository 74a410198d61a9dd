"""SIGTERM and SIGINT in mid run, and runs whose process is gone without a word."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from scout_core import cli
from scout_core.db import stopping
from scout_core.db.database import LOOK, Database
from scout_core.errors import RunBusy, Stopped
from scout_core.health import last_runs
from scout_core.health import verdict as health
from scout_core.install import doctor
from scout_core.runs import lock, record, runner
from tests.cli.test_streams import ask, serving
from tests.support import factories as new
from tests.support import web
from tests.support.asking import asking
from tests.support.job import (
    OPERATOR,
    at_point,
    broken,
    crowd,
    do,
    key,
    refresh,
    rows,
    run_states,
    scouts,
    settings,
    story,
    value,
    wait_until,
    writing,
)
from tests.support.pooler import pooled
from tests.support.server import ROOT
from tests.support.worker import refreshing

LIMIT = 10.0
SIGNALS = [signal.SIGTERM, signal.SIGINT]
WHY = ("--reason", "called both, the first registered him")
RUNNING = "select count(*) from ops.ingestion_runs where status = 'RUNNING'"
WAITS = (
    "select count(*) from pg_stat_activity where datname = current_database()"
    " and wait_event = 'PgSleep'"
)
# the ledger is slow: who writes there sleeps within the statement
SLOW = (
    "create or replace function public.slow() returns trigger language plpgsql as"
    " $$ begin perform pg_sleep(60); return null; end $$",
    "create trigger slow after insert or update on observational.lead_ledger"
    " for each statement execute function public.slow()",
)
QUICK = "drop trigger slow on observational.lead_ledger"


@contextmanager
def verb(url: str, *args: str) -> Iterator[subprocess.Popen[str]]:
    """A verb in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scout_core", *args],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "SCOUT_GUARD_MAX_PCT": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], number: int) -> tuple[int, str, float]:
    """Send a signal: exit code, stderr, seconds that it took."""
    begun = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    return process.returncode, err, time.monotonic() - begun


@pytest.mark.parametrize("number", SIGNALS)
def test_refresh_in_mid_statement_says_that_it_was_stopped(db, db_url, number):
    story(db_url)
    do(db_url, *SLOW)
    with verb(db_url, "refresh") as process:
        wait_until(db_url, WAITS)
        code, err, took = ended(process, number)
    assert code == 128 + number, err
    assert took < LIMIT
    name = signal.Signals(number).name
    assert f"Stopped ({name}): what was not committed was rolled back." in err
    assert "Traceback" not in err
    assert run_states(db_url) == [("FAILED", f"stopped ({name})")]
    assert scouts(db_url)[key("ana")] is None
    do(db_url, QUICK)
    refresh(db)
    assert run_states(db_url)[-1] == ("COMPLETED", None)
    assert scouts(db_url)[key("ana")] == 7
    assert broken(db) == {}


def test_run_in_batches_keeps_what_it_committed(db, db_url):
    with writing(db_url) as conn:
        crowd(conn, 30)
        for n in range(30):
            person = rows(db_url, "select md5('crowd ' || :n)::uuid", n=n + 1)[0][0]
            new.lead_event(conn, person=person, scout=7)
    # the third batch takes long
    slow = "if (select count(*) from observational.lead_ledger) > 10 then perform pg_sleep(60);"
    do(db_url, SLOW[0].replace("perform pg_sleep(60);", f"{slow} end if;"), SLOW[1])
    with subprocess_of(db_url, SCOUT_RUN_MAX_ROWS="5") as process:
        wait_until(db_url, WAITS)
        code, err, took = ended(process, signal.SIGTERM)
    assert took < LIMIT
    assert code == 143, err
    assert run_states(db_url) == [("FAILED", "stopped (SIGTERM)")]
    assert value(db_url, "select count(*) from observational.lead_ledger") == 10
    do(db_url, QUICK)
    refresh(db)
    assert value(db_url, "select count(*) from observational.lead_ledger") == 30
    assert broken(db) == {}


@contextmanager
def subprocess_of(url: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    before = {name: os.environ.get(name) for name in environ}
    os.environ.update(environ)
    try:
        with verb(url, "refresh") as process:
            yield process
    finally:
        for name, given in before.items():
            os.environ.pop(name) if given is None else os.environ.update({name: given})


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("name", ["undo", "decide", "erase"])
def test_undo_and_decision_are_stopped_whole(db, db_url, name, number):
    story(db_url)
    run_id = refresh(db).run_id
    before = scouts(db_url)
    written = "canon.identity_registry" if name == "erase" else "observational.lead_ledger"
    do(db_url, SLOW[0], SLOW[1].replace("observational.lead_ledger", written))
    args = {
        "undo": ("undo", str(run_id), *WHY),
        "decide": ("decide", str(key("carla")), "--scout", "9", *WHY),
        "erase": ("erase", str(key("carla")), "--reason", "asked for by the person"),
    }[name]
    with verb(db_url, *args) as process:
        wait_until(db_url, WAITS)
        code, err, took = ended(process, number)
    assert code == 128 + number, err
    assert took < LIMIT
    assert run_states(db_url)[-1] == ("FAILED", f"stopped ({signal.Signals(number).name})")
    assert scouts(db_url) == before
    do(db_url, QUICK.replace("observational.lead_ledger", written))
    assert broken(db) == {}


def test_settle_ends_with_its_batch(db, db_url):
    story(db_url)
    do(
        db_url,
        SLOW[0],
        "create trigger slow after insert or update on scout.person_attribution"
        " for each statement execute function public.slow()",
    )
    with verb(db_url, "settle") as process:
        wait_until(db_url, WAITS)
        code, err, took = ended(process, signal.SIGTERM)
    assert code == 143, err
    assert took < LIMIT
    do(db_url, "drop trigger slow on scout.person_attribution")
    refresh(db)
    assert broken(db) == {}


def test_waiting_for_another_run_ends_at_once(db, db_url):
    """A decision waits up to ten seconds for another one."""
    story(db_url)
    refresh(db)
    holder = lock.take(db, "decision")
    try:
        connected = (
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and application_name = 'scout'"
        )
        before = value(db_url, connected)
        with verb(db_url, "decide", str(key("carla")), "--scout", "9", *WHY) as process:
            # it is past the start of Python
            wait_until(db_url, f"select ({connected}) > {before}")
            code, err, took = ended(process, signal.SIGTERM)
    finally:
        holder.rollback()
    assert code in (143, 75), err
    assert took < LIMIT
    assert value(db_url, "select count(*) from scout.decisions") == 0


def test_second_signal_ends_at_once(db, db_url):
    story(db_url)
    do(db_url, *SLOW)
    with verb(db_url, "refresh") as process:
        wait_until(db_url, WAITS)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LIMIT)
        assert process.returncode in (143, -signal.SIGTERM)
    do(db_url, QUICK)
    refresh(db)
    assert broken(db) == {}


def test_verb_that_only_looks_ends_as_ever(db, db_url):
    with verb(db_url, "schedule", "keep") as process:
        time.sleep(3)
        code, _, took = ended(process, signal.SIGTERM)
    assert code == -signal.SIGTERM
    assert took < LIMIT


@pytest.mark.parametrize("number", SIGNALS)
def test_server_that_is_stopped_says_so_of_its_run(db, db_url, number):
    story(db_url)
    do(db_url, *SLOW)
    with serving(db_url, "", number) as address:
        status, body, _ = ask(address, "/api/v1/scouts/attribution/run-now", "POST")
        assert status == 202, body
        wait_until(db_url, WAITS)
    assert run_states(db_url) == [("FAILED", "stopped (the server ends)")]
    do(db_url, QUICK)
    refresh(db)
    assert broken(db) == {}


def test_asking_in_a_process_that_goes_on_is_forgotten(db, db_url):
    story(db_url)
    stopping.ask("a test")
    try:
        with pytest.raises(Stopped):
            refresh(db)
    finally:
        stopping.forget()
    assert run_states(db_url) == []
    assert refresh(db).status == "COMPLETED"


def test_cancel_that_comes_too_late_does_not_keep_the_end_from_being_written(
    db, db_url, monkeypatch
):
    """It was meant for the statement before, and its connection is that of the last one now."""
    story(db_url)
    write, cancelled = runner.execute, []

    def execute(conn, name, **values):
        if name == "fail" and not cancelled:
            cancelled.append(name)
            conn.exec_driver_sql("select pg_cancel_backend(pg_backend_pid()), pg_sleep(5)")
        return write(conn, name, **values)

    monkeypatch.setattr(runner, "execute", execute)
    at_point(monkeypatch, "mid work", lambda: stopping.ask("a test"))
    try:
        with pytest.raises(Stopped):
            refresh(db)
    finally:
        stopping.forget()
    assert cancelled == ["fail"]
    assert run_states(db_url) == [("FAILED", "stopped (a test)")]


# lost: the row says RUNNING, nobody works


@pytest.fixture
def lost(db, db_url) -> int:
    """A run whose process was killed in mid work."""
    story(db_url)
    refresh(db)
    worker = refreshing(db_url, kill_at="mid work")
    worker.pipe.send("go")
    worker.ends()
    found = value(db_url, "select max(id) from ops.ingestion_runs where status = 'RUNNING'")
    wait_until(db_url, "select (not scout.is_at_work('scout_attribution_refresh'))::int")
    return int(found)


def test_lost_run_is_shown_as_lost_everywhere(db, db_url, lost, monkeypatch, tmp_path, capsys):
    now = datetime.now(UTC)
    with db.transaction(LOOK) as conn:
        beat = last_runs.take(conn)
        assert beat.running is None
        assert (beat.last.run_id, beat.last.status) == (lost, "LOST")
        assert beat.last_completed.run_id == lost - 1
        verdict = health.assess(conn, settings(), now)
        last = next(r for r in verdict.reasons if r.indicator == "last_run")
        assert (last.status, last.text) == ("FAIL", f"run {lost} failed: worker lost")
        assert "WORKER_LOST" in {c.rule for c in health.conditions(verdict)}
        assert [r.status for r in record.list_newest(conn, limit=2)] == ["LOST", "COMPLETED"]
    finding = next(f for f in doctor.examine(db, settings()) if f.name == f"run {lost}")
    assert "nobody works on it" in finding.what
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", db_url)
    assert cli.run(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["status"] == "LOST"
    with asking(db) as asked:
        base = "scouts/attribution"
        status = asked.get(f"{base}/job-status").json()
        assert status["running"] is None
        assert (status["last"]["run_id"], status["last"]["status"]) == (lost, "LOST")
        found = asked.get(f"{base}/runs", status="LOST").json()["items"]
        assert [run["run_id"] for run in found] == [lost]
        assert asked.get(f"{base}/runs", status="RUNNING").json()["items"] == []
        assert asked.root.get("/health").json()["status"] == "FAIL"
        assert "scout_run_running 0.0" in asked.root.get("/metrics").text
    with web.on(db):
        page = web.open_page("runs", run=str(lost))
        assert not page.exception
        assert "Perdida" in web.words(page)
        assert not page.button(key="run_now").disabled
    # the look took no lock and wrote nothing
    assert run_states(db_url)[-1] == ("RUNNING", None)


def test_lost_run_blocks_neither_the_button_nor_the_api(db, db_url, lost):
    with asking(db) as asked:
        answer = asked.post("scouts/attribution/run-now")
        assert answer.status_code == 202
        assert answer.json()["run_id"] == lost + 1
    assert run_states(db_url)[-2:] == [("FAILED", "worker lost"), ("COMPLETED", None)]
    assert broken(db) == {}


def test_run_that_works_is_running_and_is_409(db, db_url, monkeypatch):
    story(db_url)
    seen: dict[str, object] = {}

    def look() -> None:
        with db.transaction(LOOK) as conn:
            beat = last_runs.take(conn)
            seen["running"] = beat.running.run_id if beat.running else None
        with asking(db) as asked:
            answer = asked.post("scouts/attribution/run-now")
            seen["status"], seen["run_id"] = answer.status_code, answer.json().get("run_id")

    other = Database(db_url)
    at_point(monkeypatch, "mid work", look)
    run_id = refresh(other).run_id
    other.dispose()
    assert seen == {"running": run_id, "status": 409, "run_id": run_id}


def test_lost_run_is_told_behind_a_pooler(db, db_url, lost, monkeypatch):
    with pooled(db_url, size=4) as behind:
        database = Database(behind)
        with database.transaction(LOOK) as conn:
            assert last_runs.take(conn).last.status == "LOST"
        seen: list[object] = []

        def look() -> None:
            with db.transaction(LOOK) as conn:
                seen.append(last_runs.take(conn).running)

        at_point(monkeypatch, "mid work", look)
        assert refresh(database).status == "COMPLETED"
        assert seen[0] is not None
        database.dispose()


def test_numbers_of_the_lock_are_those_of_the_program(db, db_url):
    for kind in ("refresh", "undo", "decision", "review"):
        job_type = record.JOB_TYPES[kind]
        ask_it = f"select scout.is_at_work('{job_type}')"
        assert value(db_url, ask_it) is False
        holder = lock.take(db, kind)
        try:
            assert value(db_url, ask_it) is True
            others = {t for t in record.JOB_TYPES.values() if t != job_type}
            assert [t for t in others if value(db_url, f"select scout.is_at_work('{t}')")] == []
            with pytest.raises(RunBusy):
                lock.take(db, kind) if kind != "decision" else raise_busy()
        finally:
            holder.rollback()
        assert value(db_url, ask_it) is False


def raise_busy() -> None:
    raise RunBusy


def test_lock_of_another_database_is_not_this_ones(db, db_url, server_url):
    from tests.support.looking import installed

    with installed(server_url) as other:
        holder = lock.take(other, "refresh")
        try:
            assert value(db_url, "select scout.is_at_work('scout_attribution_refresh')") is False
        finally:
            holder.rollback()
    assert OPERATOR.role == "operator"
