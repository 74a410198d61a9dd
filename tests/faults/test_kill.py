"""Kill -9: wherever it strikes, one healthy run ends in the state without it."""

import random
import time
from collections.abc import Iterator

import pytest

from scout_core.db.database import Database
from tests.support import databases
from tests.support import factories as new
from tests.support.job import (
    at_point,
    broken,
    do,
    events_of,
    key,
    refresh,
    rows,
    run_states,
    scouts,
    story,
    value,
    wait_until,
    writing,
)
from tests.support.state import Effects, effects
from tests.support.worker import Worker, refreshing

KILLED = -9
LOST = ("FAILED", "worker lost")
DONE = ("COMPLETED", None)
TAKEOVER_SECONDS = 3.0  # from the start to the lock; the run itself takes as long as its work
SLEEPS = (
    "select count(*) from pg_stat_activity"
    " where datname = current_database() and wait_event = 'PgSleep'"
)
WAITS_FOR_LOCK = (
    "select count(*) from pg_stat_activity"
    " where datname = current_database() and wait_event_type = 'Lock'"
)
POINTS = [
    "after lock", "after run row", "others sealed", "mid work", "before commit", "after commit",
]  # fmt: skip


@pytest.fixture
def never_killed(server_url: str) -> Iterator[Database]:
    """A second database like `db`, in which nothing is killed."""
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        twin = Database(url)
        yield twin
        twin.dispose()


def kill_itself(url: str, point: str, passes: int = 1, **environ: str) -> Worker:
    worker = refreshing(url, kill_at=point, passes=passes, environ=environ)
    worker.pipe.send("go")
    assert worker.ends() == KILLED
    return worker


def seconds_to_take_over(db: Database, monkeypatch: pytest.MonkeyPatch) -> float:
    """A run, and how long it took until it had the lock and the dead one was closed."""
    begun = time.monotonic()
    taken: list[float] = []
    at_point(monkeypatch, "after run row", lambda: taken.append(time.monotonic()))
    refresh(db)
    return taken[0] - begun


@pytest.fixture(scope="module")
def done(server_url: str) -> Effects:
    """The effects of a run over the story in which nothing is killed."""
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        story(url)
        twin = Database(url)
        refresh(twin)
        twin.dispose()
        return effects(url)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("point", POINTS)
def test_kill_at_a_point_leaves_all_or_nothing(
    db: Database, db_url: str, done: Effects, monkeypatch, point: str
):
    story(db_url)
    untouched = effects(db_url)

    kill_itself(db_url, point)
    assert effects(db_url) == (done if point == "after commit" else untouched)
    assert key("carla") not in scouts(db_url)

    assert seconds_to_take_over(db, monkeypatch) < TAKEOVER_SECONDS
    first = {"after lock": [], "after commit": [DONE]}.get(point, [LOST])
    assert run_states(db_url) == [*first, DONE]
    assert effects(db_url) == done
    assert broken(db) == {}


def test_dead_run_is_closed_with_its_reason_in_the_log(db: Database, db_url: str):
    kill_itself(db_url, "mid work")
    assert rows(db_url, "select status::text, completed_at from ops.ingestion_runs") == [
        ("RUNNING", None)
    ]
    dead = value(db_url, "select run_id from scout.runs")
    refresh(db)
    assert events_of(db_url, dead) == [("STARTED", None), ("FAILED", None)]
    assert value(
        db_url, "select completed_at >= started_at from ops.ingestion_runs where id = :id", id=dead
    )


@pytest.mark.parametrize("passes", [1, 4])
def test_kill_between_batches_keeps_whole_batches(
    db: Database, db_url: str, never_killed: Database, passes: int
):
    for url in (db_url, never_killed.url):
        story(url)
        story(url, "b")
    refresh(never_killed)
    kill_itself(db_url, "before batch commit", passes, SCOUT_RUN_MAX_ROWS="2")
    kept = value(db_url, "select count(*) from ops.job_runs_audit where event = 'BATCH'")
    assert kept == passes - 1
    audited = value(db_url, "select count(*) from ops.identity_links_backfill_audit")
    assert (audited > 0) == (kept > 0)
    assert broken(db) == {}
    refresh(db)
    assert effects(db_url) == effects(never_killed.url)
    assert run_states(db_url) == [LOST, DONE]
    assert broken(db) == {}


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(15, id="few"),
        pytest.param(1000, id="many", marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
)
def test_kills_at_random_times_lose_and_double_nothing(
    db: Database, db_url: str, never_killed: Database, kills: int
):
    """Each round brings work of its own, so that each kill can hit something."""
    chance = random.Random(kills)
    story(db_url, " 0")
    begun = time.monotonic()
    refresh(db)
    usual = time.monotonic() - begun
    story(never_killed.url, " 0")
    struck = 0
    for n in range(1, kills + 1):
        story(db_url, f" {n}")
        story(never_killed.url, f" {n}")
        worker = refreshing(db_url, environ={"SCOUT_RUN_MAX_ROWS": chance.choice(["2", "10000"])})
        worker.pipe.send("go")
        time.sleep(chance.uniform(0, 1.3 * usual))
        struck += worker.is_alive
        worker.kill()
    # what every kill has left undone may be more than the guard lets pass
    for database in (db, never_killed):
        refresh(database, force=True, reason="what the killed runs left")
    assert struck > kills / 3
    assert effects(db_url) == effects(never_killed.url)
    # the guard may stop a run that comes after several kills
    states = [s for s in run_states(db_url) if not str(s[1]).startswith("guard: ")]
    assert set(states) <= {LOST, DONE}
    assert states[-1] == DONE
    assert broken(db) == {}


def sleeping_statement(url: str) -> None:
    """The statement that links takes half a minute, as long as there is a row in test_slow."""
    do(
        url,
        "create table public.test_slow (seconds integer)",
        "insert into public.test_slow values (30)",
        "create function public.test_sleep() returns trigger language plpgsql security definer"
        " as $$ begin perform pg_sleep(seconds) from public.test_slow; return null; end $$",
        "create trigger test_sleep after insert on canon.identity_links"
        " for each statement execute function public.test_sleep()",
    )


def test_next_start_takes_over_from_a_client_killed_in_a_long_statement(
    db: Database, db_url: str, monkeypatch
):
    story(db_url)
    sleeping_statement(db_url)
    worker = refreshing(db_url)
    worker.pipe.send("go")
    wait_until(db_url, SLEEPS)
    do(db_url, "delete from public.test_slow")
    worker.kill()
    assert seconds_to_take_over(db, monkeypatch) < TAKEOVER_SECONDS
    assert run_states(db_url) == [LOST, DONE]
    assert scouts(db_url)[key("ana")] == 7
    assert broken(db) == {}


def test_next_start_takes_over_from_a_client_killed_while_it_waits_for_a_lock(
    db: Database, db_url: str, monkeypatch
):
    story(db_url)
    with writing(db_url) as conn:
        conn.exec_driver_sql("lock table canon.identity_links in share row exclusive mode")
        worker = refreshing(db_url)
        worker.pipe.send("go")
        wait_until(db_url, WAITS_FOR_LOCK)
        worker.kill()
    assert seconds_to_take_over(db, monkeypatch) < TAKEOVER_SECONDS
    assert run_states(db_url) == [LOST, DONE]
    assert scouts(db_url)[key("ana")] == 7


def test_worker_killed_in_the_lock_of_a_live_one_disturbs_nobody(db: Database, db_url: str):
    """A second worker that was refused is no owner: its death closes nothing."""
    story(db_url)
    sleeping_statement(db_url)
    owner, refused = refreshing(db_url), refreshing(db_url)
    owner.pipe.send("go")
    wait_until(db_url, SLEEPS)
    refused.pipe.send("go")
    assert refused.hears()[0] == "RunBusy"
    assert refused.ends() == 0
    do(db_url, "delete from public.test_slow")
    do(
        db_url,
        "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'"
        " and datname = current_database()",
    )
    assert owner.hears()[0] == "DatabaseError"
    (only,) = run_states(db_url)
    assert only[0] == "FAILED"
    assert only != LOST
    with writing(db_url) as conn:
        new.person(conn, key=key("after"))
    refresh(db)
    assert scouts(db_url)[key("ana")] == 7
