"""Many starts at once: one run at a time, the others are told which."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from scout_core.db.database import Database
from scout_core.errors import RunBusy, ScoutError
from scout_core.runs.record import RunResult
from tests.support.job import (
    at_point,
    broken,
    key,
    refresh,
    rows,
    run_states,
    scouts,
    story,
    value,
    writing,
)
from tests.support.state import effects
from tests.support.worker import refreshing

STARTS = 50
SHARED_BY = 5  # starts of one process share its pool of connections


@pytest.fixture
def pools(db_url: str) -> Iterator[list[Database]]:
    """The database as ten processes would open it."""
    opened = [Database(db_url) for _ in range(STARTS // SHARED_BY)]
    yield opened
    for pool in opened:
        pool.dispose()


def start_all(pools: list[Database], **how: Any) -> list[RunResult | ScoutError]:
    """Fifty starts at the same moment, and how each ended."""
    moment = threading.Barrier(STARTS)
    ends: list[RunResult | ScoutError] = []

    def start(db: Database) -> None:
        moment.wait(30)
        try:
            ends.append(refresh(db, **how))
        except ScoutError as exc:
            ends.append(exc)

    run_threads([partial(start, db) for db in pools for _ in range(SHARED_BY)])
    assert len(ends) == STARTS
    return ends


def run_threads(jobs: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)


def test_fifty_starts_while_one_works_are_told_its_id(
    pools: list[Database], db_url: str, monkeypatch
):
    story(db_url)
    answered = threading.Semaphore(0)
    raised = RunBusy.__init__

    def counts(self: RunBusy, *arguments: Any, **facts: Any) -> None:
        raised(self, *arguments, **facts)
        answered.release()

    monkeypatch.setattr(RunBusy, "__init__", counts)

    def wait_for_all_others() -> None:
        for _ in range(STARTS - 1):
            assert answered.acquire(timeout=60)

    at_point(monkeypatch, "mid work", wait_for_all_others)
    ends = start_all(pools)
    (done,) = [end for end in ends if isinstance(end, RunResult)]
    refused = [end for end in ends if isinstance(end, RunBusy)]
    assert len(refused) == STARTS - 1
    assert {busy.run_id for busy in refused} == {done.run_id}
    assert {busy.exit_code for busy in refused} == {75}
    assert run_states(db_url) == [("COMPLETED", None)]
    assert broken(pools[0]) == {}


def test_fifty_starts_let_run_have_the_effect_of_one(
    pools: list[Database], db_url: str, monkeypatch
):
    story(db_url)
    inside: list[int] = []
    most_inside: list[int] = []

    def enter() -> None:
        inside.append(1)
        most_inside.append(len(inside))
        time.sleep(0.05)
        inside.pop()

    at_point(monkeypatch, "mid work", enter, times=STARTS)
    ends = start_all(pools)
    done = [end for end in ends if isinstance(end, RunResult)]
    assert done
    assert {type(end) for end in ends} <= {RunResult, RunBusy}
    assert set(most_inside) == {1}
    assert set(run_states(db_url)) == {("COMPLETED", None)}
    assert len(run_states(db_url)) == len(done)
    assert sum(end.stats["steps"]["link"]["changed"] for end in done) == 3
    assert sum(end.stats["steps"]["propagate"]["changed"] for end in done) == 2
    assert scouts(db_url) == {key("ana"): 7, key("beto"): 8, key("dora"): 5}
    overlapping = (
        "select count(*) from ops.ingestion_runs as a join ops.ingestion_runs as b on a.id < b.id"
        " and a.started_at < b.completed_at and b.started_at < a.completed_at"
    )
    assert value(db_url, overlapping) == 0
    assert broken(pools[0]) == {}


def test_processes_that_start_at_once_run_one_at_a_time(db: Database, db_url: str):
    story(db_url)
    workers = [refreshing(db_url) for _ in range(8)]
    for worker in workers:
        worker.pipe.send("go")
    ends = [worker.hears() for worker in workers]
    assert {kind for kind, _, _ in ends} <= {"COMPLETED", "RunBusy"}
    done = {run_id for kind, run_id, _ in ends if kind == "COMPLETED"}
    known = {run_id for (run_id,) in rows(db_url, "select run_id from scout.runs")}
    assert done == known
    assert {run_id for kind, run_id, _ in ends if kind == "RunBusy"} <= known
    assert scouts(db_url) == {key("ana"): 7, key("beto"): 8, key("dora"): 5}
    assert broken(db) == {}


def test_same_request_fifty_times_is_one_run_and_fifty_equal_answers(
    pools: list[Database], db_url: str
):
    story(db_url)
    ends = start_all(pools, request_id="one click")
    assert {type(end) for end in ends} == {RunResult}
    assert len({end.run_id for end in ends if isinstance(end, RunResult)}) == 1
    assert run_states(db_url) == [("COMPLETED", None)]
    assert len(effects(db_url)["ledger audit"]) == 3


def test_start_before_the_holder_has_written_its_run_waits_to_name_it(
    pools: list[Database], db_url: str, monkeypatch
):
    first, second = pools[:2]
    told: list[RunBusy | None] = []
    started = threading.Thread(target=lambda: told.append(busy_of(second)))

    def let_the_other_look() -> None:
        started.start()
        time.sleep(0.5)

    at_point(monkeypatch, "after lock", let_the_other_look)
    done = refresh(first)
    started.join(30)
    # it either looked until the run had its row, or took the lock when the run was over
    assert told == [] or told[0] is None or told[0].run_id == done.run_id
    assert ("FAILED", "worker lost") not in run_states(db_url)


def busy_of(db: Database) -> RunBusy | None:
    try:
        refresh(db)
    except RunBusy as exc:
        return exc
    return None


def test_holder_without_a_run_is_said_to_be_starting(db: Database, db_url: str):
    """Somebody else has the lock and never writes a run: looked for during two seconds."""
    with writing(db_url) as conn:
        conn.exec_driver_sql("select pg_advisory_xact_lock(5036417, 0)")
        begun = time.monotonic()
        with pytest.raises(RunBusy, match="starting") as busy:
            refresh(db)
        assert 1.9 < time.monotonic() - begun < 6
    assert busy.value.run_id is None
    assert run_states(db_url) == []
