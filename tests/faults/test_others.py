"""Others at work on the same rows: their locks, decisions, holds and writes are respected."""

import random
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection as Pipe
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import NullPool, create_engine, text

from scout_core import logs
from scout_core.db.database import Database
from scout_core.runs import runner
from tests.support import factories as new
from tests.support.job import (
    RULE,
    at_point,
    broken,
    crowd,
    do,
    key,
    refresh,
    rows,
    run_states,
    scouts,
    story,
    value,
    writing,
)
from tests.support.worker import Worker

HOLD_PERSON = (
    "insert into scout.holds (subject, person_key, reason, actor)"
    f" values ('person', '{key('ana')}', 'undone', 'olga')"
)
DECIDE_PERSON = (
    "insert into scout.decisions (person_key, outcome, considered_scout_ids, reason_code, note,"
    f" actor) values ('{key('ana')}', 'NO_SCOUT', '{{7}}', 'OTHER', 'no scout brought her', 'olga')"
)
OVERTAKING = [pytest.param(HOLD_PERSON, id="hold"), pytest.param(DECIDE_PERSON, id="decision")]


@pytest.mark.parametrize("lock", ["update", "no key update", "share"])
def test_person_locked_by_somebody_is_left_for_the_next_run(db: Database, db_url: str, lock: str):
    story(db_url)
    person = f"where person_key = '{key('ana')}' for {lock}"
    with writing(db_url) as conn:
        conn.exec_driver_sql(f"select from canon.identity_registry {person}")
        first = refresh(db).stats["steps"]["propagate"]
    assert key("ana") not in given(db_url)
    assert given(db_url)[key("beto")] == 8
    assert (first["changed"], first["skipped"]) == (
        1,
        {"SEVERAL_SCOUTS": 1, "LOCKED_OR_CHANGED_MEANWHILE": 1},
    )
    second = refresh(db).stats["steps"]["propagate"]
    assert given(db_url)[key("ana")] == 7
    assert (second["changed"], second["skipped"]) == (1, {"SEVERAL_SCOUTS": 1})
    assert broken(db) == {}


def test_ledger_row_locked_by_somebody_is_left_for_the_next_run(db: Database, db_url: str):
    story(db_url)
    with writing(db_url) as conn:
        conn.exec_driver_sql(
            f"select from observational.lead_ledger where person_key = '{key('ana')}' for update"
        )
        first = refresh(db).stats["steps"]["propagate"]
    assert first["skipped"]["LOCKED_OR_CHANGED_MEANWHILE"] == 1
    assert given(db_url) == {key("beto"): 8}
    refresh(db)
    assert given(db_url) == {key("ana"): 7, key("beto"): 8}
    assert broken(db) == {}


@pytest.mark.parametrize("statement", OVERTAKING)
def test_person_taken_out_while_the_run_works_gets_no_scout(
    db: Database, db_url: str, monkeypatch, statement: str
):
    story(db_url)
    at_point(monkeypatch, "mid work", lambda: do(db_url, statement))
    refresh(db)
    assert given(db_url) == {key("beto"): 8}
    # a decision that no run of ours wrote waits for no seal, and verify says so
    assert broken(db).keys() == ({"runs_are_sealed"} if statement == DECIDE_PERSON else set())


@pytest.fixture
def in_the_statement(db_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Something that is committed while the statement that writes the ledger is under way: it has
    chosen and locked its persons by then."""
    for patience in ("ROW_PATIENCE_MILLISECONDS", "HOLDER_PATIENCE_MILLISECONDS"):
        # the run is held up by a lock, which it would give way to
        monkeypatch.setattr(runner, patience, 20_000)
    do(
        db_url,
        "create function public.test_wait() returns trigger language plpgsql security definer"
        " as $$ begin perform pg_advisory_xact_lock_shared(42); return new; end $$",
        "create trigger test_wait before insert or update on observational.lead_ledger"
        " for each row execute function public.test_wait()",
    )
    threads = []

    def start(*statements: str) -> None:
        held = threading.Event()

        def other() -> None:
            with writing(db_url) as conn:
                conn.exec_driver_sql("select pg_advisory_xact_lock(42)")
                held.set()
                # of this database: other tests wait on the same server
                waits = text(
                    "select count(*) from pg_locks as l inner join pg_database as d"
                    " on d.oid = l.database and d.datname = current_database()"
                    " where not l.granted and l.objid = 42"
                )
                while not conn.scalar(waits):
                    time.sleep(0.01)
                do(db_url, *statements)

        threads.append(threading.Thread(target=other))
        threads[-1].start()
        assert held.wait(10)

    yield start
    for thread in threads:
        thread.join(30)


@pytest.mark.parametrize("statement", OVERTAKING)
def test_person_taken_out_in_the_middle_of_the_statement_gets_no_scout(
    db: Database, db_url: str, in_the_statement: Any, statement: str
):
    story(db_url)
    in_the_statement(statement)
    result = refresh(db)
    assert given(db_url) == {key("beto"): 8}
    assert result.stats["steps"]["propagate"]["changed"] == 1
    audited = "select person_key from ops.lead_ledger_scout_backfill_audit where backfill_method"
    assert rows(db_url, f"{audited} = '{RULE}'") == [(key("beto"),)]
    # a decision that no run of ours wrote waits for no seal, and verify says so
    assert broken(db).keys() == ({"runs_are_sealed"} if statement == DECIDE_PERSON else set())


def test_contradicting_event_in_the_middle_of_the_statement_is_a_conflict_afterwards(
    db: Database, db_url: str, in_the_statement: Any
):
    story(db_url)
    in_the_statement(
        "insert into observational.lead_events (source_table, source_pk, event_date, person_key,"
        f" scout_id) values ('other', '1', '2026-03-03', '{key('ana')}', 9)"
    )
    refresh(db)
    assert given(db_url)[key("ana")] == 7
    assert (key("ana"), "CONTRADICTS_LEDGER") in rows(
        db_url, "select person_key, conflict_kind from ops.v_scout_attribution_conflicts"
    )


ROW = "(select min(id)::text from public.module_ct_scouting_daily where driver_license like '{}%')"
HOLD_ROW = (
    "insert into scout.holds (subject, source_table, source_pk, reason, actor)"
    f" select 'source_row', 'module_ct_scouting_daily', {ROW}, 'undone', 'olga'"
)
IGNORE_ROW = (
    "insert into canon.identity_unmatched (source_table, source_pk, snapshot_date, reason_code,"
    f" status) select 'module_ct_scouting_daily', {ROW}, now(), 'BY_HAND', 'IGNORED'"
)


@pytest.mark.parametrize("statement", [HOLD_ROW, IGNORE_ROW], ids=["hold", "ignored"])
@pytest.mark.parametrize("license", ["beto", "nuevo"])
def test_scouting_row_taken_out_while_the_run_works_is_not_linked(
    db: Database, db_url: str, monkeypatch, statement: str, license: str
):
    story(db_url)
    with writing(db_url) as conn:
        # founds nobody, but is of the same person as the row that does
        new.scouting_row(conn, scout=6, license="nuevo-100")
    at_point(monkeypatch, "mid work", lambda: do(db_url, statement.format(license)))
    result = refresh(db)
    taken_out = value(db_url, f"select {ROW.format(license)}")
    linked = {pk for (pk,) in rows(db_url, "select source_pk from canon.identity_links")}
    assert taken_out not in linked
    assert len(linked) == 3
    assert result.stats["steps"]["link"]["changed"] == 3
    assert broken(db) == {}


def given(url: str) -> dict[UUID, int | None]:
    """The scouts that runs have given."""
    return {p: s for p, s in scouts(url).items() if s is not None and p != key("dora")}


# Every change of a scout in the ledger, noted row by row and apart from the product.
LOG = (
    "create table public.test_log (log_id bigint generated always as identity, person_key uuid,"
    " old_scout integer, new_scout integer, is_job boolean)",
    "create function public.test_log() returns trigger language plpgsql security definer as $$"
    " begin insert into public.test_log (person_key, old_scout, new_scout, is_job) values"
    " (new.person_key, case tg_op when 'UPDATE' then old.attributed_scout_id end,"
    " new.attributed_scout_id, coalesce(current_setting('scout.run_id', true), '') <> '');"
    " return null; end $$",
    "create trigger test_log after insert or update of attributed_scout_id"
    " on observational.lead_ledger for each row execute function public.test_log()",
)
PERSONS = 60


def test_writes_of_another_process_are_never_overwritten_and_truly_audited(
    db: Database, db_url: str
):
    do(db_url, *LOG)
    with writing(db_url) as conn:
        crowd(conn, PERSONS)
    other = Worker(_write_at_random, db_url, 3.0)
    runs = 0
    while other.is_alive and not other.pipe.poll():
        refresh(db)
        runs += 1
    writes = other.hears()
    refresh(db)

    log = rows(
        db_url,
        "select person_key, old_scout, new_scout, is_job from public.test_log"
        " where old_scout is distinct from new_scout order by person_key, log_id",
    )
    audit = rows(
        db_url,
        "select person_key, old_attributed_scout_id, new_attributed_scout_id,"
        " backfill_method <> 'EXTERNAL_CHANGE' from ops.lead_ledger_scout_backfill_audit"
        " order by person_key, id",
    )
    assert audit == log
    assert [entry for entry in log if entry[3] and entry[1] is not None] == []
    by_other = [entry[:3] for entry in log if not entry[3]]
    assert sorted(by_other, key=repr) == sorted(writes, key=repr)
    by_job = len(log) - len(by_other)
    assert (runs > 3, len(by_other) > 50, by_job > 10) == (True, True, True)
    assert {status for status, _ in run_states(db_url)} == {"COMPLETED"}
    assert broken(db) == {}


def _write_at_random(pipe: Pipe, url: str, seconds: float) -> None:
    """Ingests events, and sets, changes and erases scouts, one commit each. Says what it wrote to
    the ledger: person, old scout, new scout."""
    logs.configure("ERROR")
    chance = random.Random(7)
    engine = create_engine(url, poolclass=NullPool)
    written: list[tuple[UUID, int | None, int | None]] = []
    end = time.monotonic() + seconds
    with engine.connect() as conn:
        persons = list(conn.scalars(text("select person_key from canon.identity_registry")))
        conn.rollback()
        while time.monotonic() < end or len(written) <= 50:
            person = chance.choice(persons)
            with conn.begin():
                if chance.random() < 0.5:
                    new.lead_event(conn, person=person, scout=person.int % 5 + 1)
                    continue
                scout = chance.choice([None, 90, 91])
                before = conn.execute(
                    text(
                        "select attributed_scout_id from observational.lead_ledger"
                        " where person_key = :person for update"
                    ),
                    {"person": person},
                ).one_or_none()
                if before is None:
                    continue
                conn.execute(
                    text(
                        "update observational.lead_ledger set attributed_scout_id = :scout,"
                        " updated_at = now() where person_key = :person"
                    ),
                    {"person": person, "scout": scout},
                )
            if before[0] != scout:
                written.append((person, before[0], scout))
    pipe.send(written)
