"""Settling under fire: races, two at once, kill -9, writers beside it, triggers that were off."""

import random
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from scout_core.attribution import settle
from scout_core.db.database import CHECK, LOOK, SETTLE, Database
from scout_core.errors import DatabaseError
from tests.support import factories as new
from tests.support.installing import init
from tests.support.job import broken, do, key, refresh, rows, value, writing
from tests.support.settling import (
    AT_THE_GATE,
    Scene,
    gate_closed,
    gate_on,
    md5_key,
    scene,
    settling,
)

SCOUTING = "module_ct_scouting_daily"
MIGRATIONS = "module_ct_migrations"
KILLED = -9


@pytest.fixture
def stage(db: Database, db_url: str) -> Iterator[Scene]:
    with scene(db, db_url) as made:
        yield made


def wait_for(url: str, query: str, count: int = 1) -> None:
    give_up = time.monotonic() + 20
    while value(url, query) < count:
        assert time.monotonic() < give_up, query
        time.sleep(0.01)


def work(conn: Connection, tag: int, name: str) -> None:
    """Something in every source for one person."""
    new.lead_event(conn, person=key(name), scout=tag % 5 + 1)
    row = new.scouting_row(conn, scout=tag % 3 + 1, license=f"{name}{tag:06}")
    if tag % 2:
        new.link(conn, person=key(name), table=SCOUTING, pk=row)
    new.migration(conn, scout=tag % 4 + 1, driver=f"{name} {tag}")
    new.link(conn, person=key(name), table="drivers", pk=f"{name} {tag}")


def test_halves_written_at_once_make_a_whole_whichever_commits_first(stage: Scene):
    """A row and what gives it its person, in two transactions that do not see each other."""
    racers = ("id", "older", "taken", "moved", "row", "driver", "payment", "late", "ledger", "two")
    with writing(stage.url) as conn:
        for name in racers[:-3] + racers[-2:]:
            new.person(conn, key=key(name))
        older = md5_key(conn, new.scouting_row(conn, scout=7, license="OLDER111"))
        conn.execute(text("delete from public.module_ct_scouting_daily where scout_id = 7"))
        taken = new.scouting_row(conn, scout=7, license="TAKEN111")
        new.link(conn, person=key("moved"), table=SCOUTING, pk=md5_key(conn, taken))
    stage.settle()

    def write_rows(conn: Connection) -> None:
        new.scouting_row(conn, scout=7, license="UNDER111", id=801)
        new.scouting_row(conn, scout=7, license="OLDER111")
        conn.execute(
            text(f"update public.module_ct_scouting_daily set id = 802 where id = {taken}")
        )
        new.migration(conn, scout=7, id=803)
        new.migration(conn, scout=7, driver="d1")
        new.payment(conn, scout=7, driver="d2")
        new.payment(conn, scout=7, person=key("late"))
        new.lead_event(conn, person=key("ledger"), scout=7)
        new.lead_event(conn, person=key("two"), scout=7)

    def write_links(conn: Connection) -> None:
        new.link(conn, person=key("id"), table=SCOUTING, pk=801)
        new.link(conn, person=key("older"), table=SCOUTING, pk=older)
        new.link(conn, person=key("taken"), table=SCOUTING, pk=802)
        new.link(conn, person=key("row"), table=MIGRATIONS, pk=803)
        new.link(conn, person=key("driver"), table="drivers", pk="d1")
        new.link(conn, person=key("payment"), table="drivers", pk="d2")
        new.person(conn, key=key("late"))
        new.ledger(conn, person=key("ledger"), scout=8)
        new.lead_event(conn, person=key("two"), scout=8)

    halves = (write_rows, write_links)
    before = stage.shown()
    for first in (0, 1):
        with writing(stage.url) as one, writing(stage.url) as other:
            conns = (one, other)
            halves[first](conns[first])
            stage.settle()
            halves[1 - first](conns[1 - first])
            stage.settle()
            for conn in (conns[first], conns[1 - first]):
                conn.commit()
                assert stage.stale() == {}
                stage.settle()
                assert stage.look("pending") == [(0,)]
        after = stage.shown()
        assert {n for n in racers if after.get(key(n)) == before.get(key(n))} == set()
        assert after[key("eva")] == before[key("eva")]
        do(
            stage.url,
            f"delete from canon.identity_links where source_pk in ('801', '802', '803', 'd1', 'd2',"
            f" '{older}')",
            f"delete from canon.identity_registry where person_key = '{key('late')}'",
            "delete from public.module_ct_migrations where driver_id = 'd1' or id = 803",
            "delete from public.module_ct_cabinet_payments where scout_id = 7",
            "delete from public.module_ct_scouting_daily where id = 801",
            "delete from public.module_ct_scouting_daily where driver_license = 'OLDER111'",
            f"update public.module_ct_scouting_daily set id = {taken} where id = 802",
            f"delete from observational.lead_events where person_key <> '{key('eva')}'",
            f"delete from observational.lead_ledger where person_key <> '{key('eva')}'",
        )
        stage.settle()
        assert stage.shown() == before


def test_change_that_commits_while_it_is_settled_stays_noted(stage: Scene):
    gate_on(stage.url, "scout.person_attribution")
    stage.do(lambda c: new.lead_event(c, person=key("ana"), scout=7))
    done: list[settle.Settled] = []
    with gate_closed(stage.url):
        settler = threading.Thread(target=lambda: done.append(settle.settle(stage.db)))
        settler.start()
        wait_for(stage.url, AT_THE_GATE)
        stage.do(lambda c: new.lead_event(c, person=key("ana"), scout=8))
        assert stage.stale() == {}
    settler.join()
    assert done[0].entries == 1
    assert stage.look("pending") == [(1,)]
    assert stage.stale() == {}
    stage.settle()
    shown = "select scout_ids from scout.person_attribution where person_key = :ana"
    assert value(stage.url, shown, ana=key("ana")) == [7, 8]


def test_second_settler_is_busy_or_waits_and_nothing_is_counted_twice(stage: Scene):
    gate_on(stage.url, "scout.person_attribution")
    stage.do(*(lambda c, n=n: work(c, 1, n) for n in ("ana", "beto", "carla")))
    done: dict[str, settle.Settled] = {}

    def settling_as(name: str, **how: bool) -> threading.Thread:
        def run() -> None:
            done[name] = settle.settle(Database(stage.url), batch_rows=4, **how)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with gate_closed(stage.url):
        threads = [settling_as("first", wait=True)]
        wait_for(stage.url, AT_THE_GATE)
        assert settle.settle(stage.db) == settle.Settled(is_busy=True)
        assert settle.build(stage.db, wait=False) == settle.Settled(is_busy=True)
        threads.append(settling_as("second", wait=True))
        assert stage.stale() == {}
    for thread in threads:
        thread.join()
    assert done["first"].entries + done["second"].entries == 15
    assert not done["first"].is_busy
    assert stage.look("pending") == [(0,)]
    assert stage.stale() == {}


# Kill -9 ---------------------------------------------------------------------------------------


def settled_again(stage: Scene) -> None:
    """One healthy settling makes all exact, and a second one touches nothing."""
    assert stage.stale() == {}
    stage.settle(wait=True)
    assert stage.look("pending") == [(0,)]
    rows_before = sorted(stage.look("settled"))
    stage.settle(wait=True)
    assert sorted(stage.look("settled")) == rows_before


@pytest.mark.parametrize("how", ["settle", "build"])
@pytest.mark.parametrize("batches", [0, 3])
def test_kill_of_a_settler_leaves_whole_batches(stage: Scene, how: str, batches: int):
    """Killed in the midst of a batch: it is undone, those before it are kept."""
    stage.do(*(lambda c, n=n: work(c, 1, n) for n in ("ana", "beto", "carla", "dora")))
    stage.do(f"delete from canon.identity_links where person_key = '{key('beto')}'")
    before = stage.shown()
    # every batch of touched rows notes them; a batch may well change no person
    gate_on(stage.url, "scout.rows_to_check" if how == "settle" else "scout.person_attribution")
    worker = settling(stage.url, how=how)
    for number in range(1, batches + 1):
        worker.pipe.send("on")
        assert worker.hears()[0] == number
    with gate_closed(stage.url):
        worker.pipe.send("on")
        wait_for(stage.url, AT_THE_GATE)
        worker.kill()
    assert worker.ends() == KILLED
    assert stage.shown() == before
    settled_again(stage)
    assert stage.shown() == before


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(6, id="few"),
        pytest.param(500, id="many", marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
)
def test_kills_of_settlers_at_random_times_lose_nothing(stage: Scene, kills: int):
    chance = random.Random(kills)
    struck = 0
    for tag in range(kills):
        stage.do(*(lambda c, n=n, t=tag: work(c, t, n) for n in ("ana", "beto", "carla", "dora")))
        worker = settling(stage.url, how=chance.choice(("settle", "settle", "build")), rows=2)
        worker.pipe.send("go")
        give_up = time.monotonic() + chance.uniform(0, 0.15)
        while time.monotonic() < give_up and worker.is_alive:
            if worker.pipe.poll(0.001):
                if worker.hears() == "done":
                    break
                worker.pipe.send("on")
        struck += worker.is_alive
        worker.kill()
        assert stage.stale() == {}
    assert struck > kills / 3
    settled_again(stage)


# Beside others ---------------------------------------------------------------------------------


def test_writers_never_wait_for_a_settler_nor_fail(stage: Scene):
    """A writer gives up after 250 ms of waiting for a lock: it never has to."""
    stop = threading.Event()
    settled: list[settle.Settled] = []

    def settler() -> None:
        mine = Database(stage.url)
        while not stop.is_set():
            settled.append(settle.settle(mine, batch_rows=7, wait=True))
        mine.dispose()

    thread = threading.Thread(target=settler)
    thread.start()
    try:
        for tag in range(60):
            with writing(stage.url) as conn:
                conn.exec_driver_sql("set local lock_timeout = '250ms'")
                work(conn, tag, ("ana", "beto", "carla", "dora")[tag % 4])
                conn.exec_driver_sql(
                    "update observational.lead_events set event_date = event_date + 1"
                    " where id in (select max(id) from observational.lead_events)"
                )
            if not tag % 20:
                assert stage.stale() == {}
    except OperationalError as exc:
        pytest.fail(f"a writer waited: {exc}")
    finally:
        stop.set()
        thread.join()
    assert sum(s.entries for s in settled) > 60
    stage.settle()
    assert stage.look("pending") == [(0,)]
    assert len(stage.shown()) == 5


def test_settler_does_not_wait_for_a_writer_in_mid_transaction(stage: Scene):
    with writing(stage.url) as conn:
        work(conn, 1, "ana")
        conn.exec_driver_sql("lock table observational.lead_events in share row exclusive mode")
        stage.do(lambda c: new.ledger(c, person=key("beto"), scout=7))
        assert stage.settle().entries == 1
    assert stage.stale() == {}
    assert stage.settle().entries > 1


# Triggers --------------------------------------------------------------------------------------


def test_changes_made_with_triggers_off_are_found_and_healed(stage: Scene):
    """As a restore or a replica writes."""
    row = stage.make("row", new.scouting_row, scout=7, license="Q1234567")
    stage.step(row, lambda c: new.lead_event(c, person=key("ana"), scout=7), moves="ana")
    quiet = "set local session_replication_role = replica"
    stage.do(
        quiet,
        lambda c: new.lead_event(c, person=key("ana"), scout=8),
        lambda c: new.person(c, key=key("fina")),
        f"delete from canon.identity_registry where person_key = '{key('dora')}'",
        "delete from public.module_ct_scouting_daily where scout_id = 7",
    )
    found = stage.stale()
    assert set(found) == {"persons_are_as_recomputed", "unlinked_rows_are_as_recomputed"}
    wrong = {r[1] for r in found["persons_are_as_recomputed"]}
    assert wrong == {key("ana"), key("dora"), key("fina")}
    settle.settle(stage.db)
    assert stage.stale() == found
    settle.build(stage.db)
    assert stage.stale() == {}
    assert key("fina") in stage.shown()
    assert key("dora") not in stage.shown()
    do(stage.url, quiet, "update scout.attribution_totals set person_count = person_count + 1")
    assert set(stage.stale()) == {"totals_are_counts"}
    settle.build(stage.db)
    assert stage.stale() == {}


@pytest.mark.parametrize(
    "loss",
    [
        "drop trigger scout_note_events_insert on observational.lead_events",
        "alter table observational.lead_events disable trigger scout_note_events_insert",
    ],
    ids=["dropped", "disabled"],
)
def test_state_without_all_triggers_is_rebuilt_by_runs_until_they_are_back(stage: Scene, loss: str):
    event = "select event_count from scout.v_person_attribution where person_key = :ana"

    def reads() -> tuple[object, ...]:
        with stage.db.transaction(LOOK) as conn:
            state = settle.state(conn)
            count = conn.execute(text(event), {"ana": key("ana")}).scalar_one()
            return (state.mode, state.reading, state.as_of == state.built_at, count)

    def truth() -> object:
        with stage.db.transaction(CHECK) as conn:
            return conn.execute(text(event), {"ana": key("ana")}).scalar_one()

    def is_tracked() -> bool:
        with stage.db.transaction(SETTLE) as conn:
            return settle.is_tracked(conn)

    assert is_tracked()
    assert reads() == ("TRACKED", "EXACT", False, 0)
    stage.do(loss)
    assert not is_tracked()
    stage.do(lambda c: new.lead_event(c, person=key("ana")))
    refresh(stage.db)
    assert reads() == ("REBUILT", "SETTLED", True, 1)
    # all that is wrong is what was taken away
    assert broken(stage.db) == {}

    stage.do(lambda c: new.lead_event(c, person=key("ana")))
    assert reads() == ("REBUILT", "SETTLED", True, 1)
    assert truth() == 2
    assert broken(stage.db) == {}
    with stage.db.transaction(LOOK) as conn:
        query = "select is_exact, as_of = (select built_at from scout.state)"
        view = "ops.v_scout_attribution_metrics_snapshot"
        assert conn.execute(text(f"{query} from {view}")).one() == (False, True)
    refresh(stage.db)
    assert reads() == ("REBUILT", "SETTLED", True, 2)
    assert stage.shown()[key("eva")]

    stage.do(lambda c: new.lead_event(c, person=key("ana")))
    init(stage.url)
    assert is_tracked()
    assert reads() == ("TRACKED", "EXACT", False, 3)
    assert broken(stage.db) == {}
    stage.step(lambda c: new.lead_event(c, person=key("ana")), moves="ana")


def test_state_that_was_never_built_is_built_by_whoever_settles(stage: Scene):
    """What an init leaves that died while it settled everybody."""
    stage.do(lambda c: new.lead_event(c, person=key("ana"), scout=7))
    do(stage.url, "delete from scout.person_attribution")
    do(stage.url, "update scout.state set mode = 'LIVE'")
    settle.settle(stage.db)
    assert value(stage.url, "select mode from scout.v_state") == "TRACKED"
    assert broken(stage.db) == {}


def test_run_does_not_fail_because_settling_does(stage: Scene):
    stage.do(lambda c: new.lead_event(c, person=key("ana"), scout=7))
    stage.do(lambda c: new.lead_event(c, person=key("dora"), scout=7))
    do(stage.url, "revoke insert on scout.person_attribution from scout_writer")
    with pytest.raises(DatabaseError):
        settle.settle(stage.db)
    done = refresh(stage.db, environ={"SCOUT_RUN_MAX_ROWS": "1"})
    assert done.status == "COMPLETED"
    assert done.stats["batches"] > 1
    # nothing is settled, and still everything read is as it is
    assert value(stage.url, "select count(*) from scout.pending_persons") > 0
    satisfactory = (
        "select persons_with_scout_satisfactory from ops.v_scout_attribution_metrics_snapshot"
    )
    assert value(stage.url, satisfactory) == 3
    do(stage.url, "grant insert on scout.person_attribution to scout_writer")
    settle.settle(stage.db)
    assert broken(stage.db) == {}


def test_note_of_another_cluster_is_settled_like_any_other(stage: Scene):
    """A restored dump brings notes of transactions that this server has not reached."""
    stage.do(lambda c: new.lead_event(c, person=key("ana"), scout=7))
    do(stage.url, "update scout.pending_persons set noted_in = '9000000000000'")
    settle.build(stage.db)
    assert stage.look("pending") == [(0,)]
    assert stage.stale() == {}


def test_rows_that_a_truncating_snapshot_cannot_see_are_found_by_the_checks(stage: Scene):
    """A truncate takes also what came after the snapshot of its transaction, which its trigger
    cannot see: verify tells of it, and settling everything puts it right."""
    with writing(stage.url) as conn:
        conn.exec_driver_sql("set transaction isolation level repeatable read")
        conn.execute(text("select 1 from observational.lead_ledger limit 1")).all()
        stage.do(lambda c: new.lead_event(c, person=key("ana"), scout=7))
        stage.settle()
        conn.execute(text("truncate observational.lead_events"))
    assert rows(stage.url, "select id from observational.lead_events") == []
    assert stage.stale() != {}
    settle.build(stage.db)
    assert stage.stale() == {}
