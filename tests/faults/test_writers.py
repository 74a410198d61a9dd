"""Others write the same tables in their own order while the job works: the job gives way (C13)."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scout_core.attribution import settle
from scout_core.db.database import ADMIN, Database
from scout_core.errors import DatabaseError
from scout_core.job import refresh as scout_refresh
from scout_core.runs.runner import Run
from tests.support import factories as new
from tests.support.job import (
    ROWS_ARE_WAITED_FOR,
    broken,
    do,
    key,
    refresh,
    rows,
    run_states,
    scouts,
    value,
    wait_until,
    writing,
)

LINK = text(
    "insert into canon.identity_links (person_key, source_table, source_pk, snapshot_date,"
    " match_rule, match_score, confidence_level, linked_at)"
    " values (:person, 'module_ct_scouting_daily', :row, now(), 'X', 1, 'HIGH', now())"
    " on conflict do nothing"
)
UNMATCHED = text(
    "insert into canon.identity_unmatched (source_table, source_pk, snapshot_date, reason_code,"
    " status, created_at) values ('module_ct_scouting_daily', :row, now(), 'X', 'OPEN', now())"
)


def in_background(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def waiting_persons(url: str, *names: str) -> None:
    with writing(url) as conn:
        for name in names:
            new.person(conn, key=key(name))
            new.lead_event(conn, person=key(name), scout=7)


def test_ingest_that_meets_the_job_in_another_order_is_no_victim(db: Database, db_url: str) -> None:
    """The job writes persons in the order of their keys, the ingest the other way round: the rows
    in between are left to it, all others get their scout.

    The ingest writes over what is there: the job may have been done with its first person before.
    """
    names = ("ana", "beto", "carla", "dora", "eva")
    first, *others, last = sorted(names, key=lambda name: key(name).bytes)
    waiting_persons(db_url, *names)
    with writing(db_url) as ingest:
        new.ledger(ingest, person=key(last), scout=9)
        job = in_background(lambda: refresh(db))
        wait_until(db_url, ROWS_ARE_WAITED_FOR)
        ingest.exec_driver_sql(
            "insert into observational.lead_ledger (person_key, attributed_scout_id,"
            " attribution_score, confidence_level, decision_status, updated_at)"
            f" values ('{key(first)}', 9, 1, 'high', 'assigned', now())"
            " on conflict (person_key) do update set attributed_scout_id = 9"
        )
        job.join()
    assert run_states(db_url) == [("COMPLETED", None)]
    left = {key(first): 9, key(last): 9}
    assert scouts(db_url) == left | {key(name): 7 for name in others}
    assert refresh(db).stats["steps"]["propagate"]["changed"] == 0
    assert broken(db) == {}


def test_row_that_stays_in_the_way_is_left_and_counted(db: Database, db_url: str) -> None:
    waiting_persons(db_url, "ana", "beto", "carla")
    with writing(db_url) as ingest:
        new.ledger(ingest, person=key("beto"), scout=9)
        step = refresh(db).stats["steps"]["propagate"]
    assert step["changed"] == step["inserted"] == 2
    assert step["skipped"]["LOCKED_OR_CHANGED_MEANWHILE"] == 1
    assert scouts(db_url) == {key("ana"): 7, key("beto"): 9, key("carla"): 7}
    assert broken(db) == {}


def test_scouting_row_that_another_is_linking_stops_the_run_and_not_the_other(
    db: Database, db_url: str
) -> None:
    """Which rows a link hangs on cannot be told, so the run ends, whole, and the next does it."""
    with writing(db_url) as conn:
        person = new.person(conn, license="ANA100")
        row = new.scouting_row(conn, scout=7, license="ana-100")
        other = new.scouting_row(conn, scout=8, license="nuevo-100")
    with writing(db_url) as ingest:
        new.link(ingest, person=person, table="module_ct_scouting_daily", pk=str(row))
        with pytest.raises(DatabaseError, match="Somebody else is writing the same rows"):
            refresh(db)
    assert run_states(db_url)[0][0] == "FAILED"
    refresh(db)
    linked = rows(db_url, "select source_pk from canon.identity_links order by id")
    assert linked == [(str(row),), (str(other),)]
    assert broken(db) == {}


def test_job_that_is_waited_for_lets_go_before_it_waits_on(db: Database, db_url: str) -> None:
    """The ingest holds a ledger row and wants a link that the run has just made. It looks for a
    deadlock once, after a second, while the run still gets by the ledger row."""
    with writing(db_url) as conn:
        person = new.person(conn, license="ANA100")
        row = new.scouting_row(conn, scout=7, license="ana-100")
        keys = sorted((key(f"p{number}") for number in range(300)), key=lambda k: k.bytes)
        for waiting in keys:
            new.person(conn, key=waiting)
            new.lead_event(conn, person=waiting, scout=7)
    with writing(db_url) as ingest:
        new.ledger(ingest, person=keys[200], scout=9)
        job = in_background(lambda: refresh(db))
        wait_until(db_url, ROWS_ARE_WAITED_FOR)
        ingest.execute(LINK, {"person": person, "row": str(row)})
        job.join()
    assert run_states(db_url) == [("COMPLETED", None)]
    got = scouts(db_url)
    assert [k for k in keys if got.get(k) != 7] == [keys[200]]
    assert broken(db) == {}


def test_persons_whose_ledger_rows_are_taken_are_let_go_before_others_are_waited_for(
    db: Database, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half of which every row is skipped changes nothing, and has locked its persons all the
    same."""
    keys = sorted((key(f"p{number}") for number in range(64)), key=lambda k: k.bytes)
    with writing(db_url) as conn:
        for waiting in keys:
            new.person(conn, key=waiting)
            new.lead_event(conn, person=waiting, scout=7)
        new.ledger(conn, person=keys[0])
    give, halved = scout_refresh._give_scouts, threading.Event()

    def give_and_tell(run: Run, after: UUID | None, upto: UUID, patience: Iterator[int]) -> object:
        done = give(run, after, upto, patience)
        if upto == keys[0]:
            halved.set()
        return done

    monkeypatch.setattr(scout_refresh, "_give_scouts", give_and_tell)
    with writing(db_url) as ingest:
        ingest.exec_driver_sql(
            "update observational.lead_ledger set updated_at = now()"
            f" where person_key = '{keys[0]}'"
        )
        for waiting in keys[1:]:
            new.ledger(ingest, person=waiting, scout=9)
        job = in_background(lambda: refresh(db))
        assert halved.wait(30)
        ingest.exec_driver_sql(
            f"update canon.identity_registry set updated_at = now() where person_key = '{keys[0]}'"
        )
    job.join()
    assert run_states(db_url) == [("COMPLETED", None)]
    assert broken(db) == {}


def test_links_are_let_go_before_a_row_to_review_is_waited_for(db: Database, db_url: str) -> None:
    with writing(db_url) as conn:
        person = new.person(conn, license="ANA100")
        row = new.scouting_row(conn, scout=7, license="ana-100")
        left = new.scouting_row(conn, scout=6)
    with writing(db_url) as ingest:
        ingest.execute(UNMATCHED, {"row": str(left)})
        job = in_background(lambda: refresh(db))
        wait_until(db_url, ROWS_ARE_WAITED_FOR)
        ingest.exec_driver_sql("set local lock_timeout = '2s'")
        ingest.execute(LINK, {"person": person, "row": str(row)})
    job.join()
    assert run_states(db_url) == [("COMPLETED", None)]
    assert broken(db) == {}


def test_scouts_are_listed_by_several_at_once(db_url: str) -> None:
    """Nobody who changes the list waits for another who does, nor for a run that looks at it."""
    scout = "update public.module_ct_scouts_list set name = 'B. Ramos' where scout_id = {}"
    with writing(db_url) as conn:
        new.scout_listed(conn, 1)
        new.scout_listed(conn, 2)
    with writing(db_url) as one, writing(db_url) as run, writing(db_url) as other:
        run.exec_driver_sql("delete from scout.rows_to_check")
        other.exec_driver_sql("set lock_timeout = '1s'")
        one.exec_driver_sql(scout.format(1))
        other.exec_driver_sql(scout.format(2))
        one.exec_driver_sql(scout.format(1))
    noted = "select count(*) from scout.rows_to_check where source_table = '*'"
    assert value(db_url, noted) == 2


def test_builder_that_is_overtaken_and_killed_leaves_true_totals(
    db: Database, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one builds the state between two ranges: what is settled after that is counted."""
    waiting_persons(db_url, "ana", "beto", "carla", "dora")
    with writing(db_url) as conn:
        for name in ("ana", "beto", "carla", "dora"):
            new.ledger(conn, person=key(name), scout=7)
    with db.transaction(ADMIN) as conn:
        conn.exec_driver_sql(
            "truncate scout.person_attribution, scout.attribution_totals, scout.attribution_days,"
            " scout.attribution_scouts; update scout.state set mode = 'LIVE'"
        )
    monkeypatch.setattr(settle, "RANGE_ROWS", 1)

    def overtaken(done: int, total: int) -> None:
        if done == 1:
            settle.build(db)
            do(db_url, "update observational.lead_ledger set attributed_scout_id = null")
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        settle.build(db, progress=overtaken)
    settle.settle(db)
    counted = "select sum(person_count) from scout.attribution_totals where category is not null"
    assert value(db_url, counted) == 4
    assert broken(db) == {}


@pytest.mark.parametrize(
    ("writers", "rounds"),
    [(3, 8), pytest.param(3, 150, marks=pytest.mark.long)],
    ids=["few", "many"],
)
def test_writers_in_random_order_never_deadlock_with_the_job(
    db: Database, db_url: str, writers: int, rounds: int
) -> None:
    """Each writer has its own persons and scouts, and writes several in one transaction."""
    names = [[f"{w}-{n}" for n in range(12)] for w in range(writers)]
    waiting_persons(db_url, *(name for own in names for name in own))
    with writing(db_url) as conn:
        for w in range(writers):
            new.scout_listed(conn, 100 + w)
        new.scout_listed(conn, 7)
    lost: list[BaseException] = []
    written: dict[UUID, int] = {}

    def write(w: int) -> None:
        draw = random.Random(w)
        for _ in range(rounds):
            chosen = draw.sample(names[w], 4)
            try:
                with writing(db_url) as conn:
                    for name in chosen:
                        person = {"person": key(name)}
                        conn.execute(
                            text(
                                "insert into observational.lead_ledger (person_key,"
                                " attributed_scout_id, attribution_score, confidence_level,"
                                " decision_status, updated_at) values (:person, 9, 1, 'high',"
                                " 'assigned', now()) on conflict (person_key) do update"
                                " set attributed_scout_id = 9, updated_at = now()"
                            ),
                            person,
                        )
                        new.lead_event(conn, person=key(name), scout=9)
                        conn.execute(
                            text(
                                "update public.module_ct_scouts_list set updated_at = now()"
                                " where scout_id = :scout"
                            ),
                            {"scout": 100 + w},
                        )
                        time.sleep(draw.uniform(0, 0.02))
            except DBAPIError as exc:
                lost.append(exc)
            written.update((key(name), 9) for name in chosen)

    threads = [in_background(lambda w=w: write(w)) for w in range(writers)]
    while any(thread.is_alive() for thread in threads):
        refresh(db, environ={"SCOUT_RUN_MAX_ROWS": "5"})
    for thread in threads:
        thread.join()
    assert lost == []
    assert {p: s for p, s in scouts(db_url).items() if p in written} == written
    assert {state for state, _ in run_states(db_url)} == {"COMPLETED"}
    refresh(db)
    assert broken(db) == {}
