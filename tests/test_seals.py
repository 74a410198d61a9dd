"""Seals: a run seals what it wrote, a refresh what others wrote, and nobody waits for the other."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from scout_core import seals
from scout_core.database import Database
from tests.support.job import (
    at_point,
    broken,
    do,
    key,
    refresh,
    rows,
    story,
    value,
    wait_until,
    writing,
)
from tests.test_decisions import CARLA, decide

AUDIT = "ops.lead_ledger_scout_backfill_audit"


def load(url: str, count: int) -> None:
    """So many scouts that somebody else writes in one statement."""
    with writing(url) as conn:
        conn.exec_driver_sql(
            "insert into canon.identity_registry (person_key, confidence_level)"
            " select md5('load' || n)::uuid, 'HIGH'"
            f" from generate_series(1, {count}) as n"
        )
        conn.exec_driver_sql(
            "insert into observational.lead_ledger (person_key, attributed_scout_id,"
            " attribution_score, confidence_level, decision_status)"
            " select md5('load' || n)::uuid, 7, 1, 'high', 'assigned'"
            f" from generate_series(1, {count}) as n"
        )


def sealed(url: str) -> list[tuple]:
    return rows(
        url,
        "select run_id, covered_run_ids, row_count, cardinality(external_audit_ids)"
        " from scout.seals order by seal_no",
    )


def waiting(url: str) -> int:
    return value(url, "select count(*) from scout.unsealed_rows")


def test_decision_seals_what_it_wrote_and_leaves_what_others_loaded(db: Database, db_url: str):
    story(db_url)
    refresh(db)
    load(db_url, 7)
    result = decide(db, CARLA, 9)
    # the decision itself, and the scout that it gave
    assert sealed(db_url)[-1] == (result.run_id, [result.run_id], 2, 0)
    assert waiting(db_url) == 7
    assert broken(db) == {}


def test_refresh_seals_what_others_loaded_in_parts(db: Database, db_url: str, monkeypatch):
    story(db_url)
    refresh(db)
    before = len(sealed(db_url))
    load(db_url, 7)
    monkeypatch.setattr(seals, "PART_ROWS", 3)
    done = refresh(db)
    run_id = done.run_id
    assert sealed(db_url)[before:] == [
        (run_id, [], 3, 3),
        (run_id, [], 3, 3),
        (run_id, [], 1, 1),
        (run_id, [run_id], 0, 0),
    ]
    assert done.stats["seal"]["of_others"] == 7
    assert waiting(db_url) == 0
    ids = "select unnest(external_audit_ids) as id from scout.seals order by id"
    assert rows(db_url, ids) == rows(
        db_url, f"select id from {AUDIT} where ingestion_run_id is null order by id"
    )
    assert broken(db) == {}
    assert refresh(db).stats["seal"]["of_others"] == 0


def test_sealing_that_is_broken_off_goes_on_with_the_next_run(
    db: Database, db_url: str, monkeypatch
):
    story(db_url)
    refresh(db)
    load(db_url, 7)
    monkeypatch.setattr(seals, "PART_ROWS", 3)

    def broken_off(step: str, done: int, total: int) -> None:
        if (step, done) == ("others", 6):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresh(db, progress=broken_off)
    assert waiting(db_url) == 1
    assert broken(db) == {}
    assert refresh(db).stats["seal"]["of_others"] == 1
    assert waiting(db_url) == 0
    assert broken(db) == {}


def test_decision_waits_for_no_refresh_that_seals(db: Database, db_url: str):
    """The refresh waits here for a row that it seals, as it would for a million to be hashed."""
    story(db_url)
    refresh(db)
    load(db_url, 7)
    with ThreadPoolExecutor() as pool:
        with writing(db_url) as conn:
            conn.exec_driver_sql("select from scout.unsealed_rows for update")
            sealing = pool.submit(refresh, db)
            wait_until(
                db_url,
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                " and datname = current_database() and query ~ 'unsealed_rows'",
            )
            decided = decide(db, CARLA, 9)
            assert sealed(db_url)[-1][0] == decided.run_id
            assert not sealing.done()
        assert sealing.result().stats["seal"]["of_others"] == 7
    assert broken(db) == {}


def test_two_who_seal_at_once_seal_each_row_once(db: Database, db_url: str, monkeypatch):
    story(db_url)
    run_id = refresh(db).run_id
    load(db_url, 40)
    monkeypatch.setattr(seals, "PART_ROWS", 3)
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(seals.seal_others, db, run_id, lambda *_: None) for _ in range(2)]
        assert sum(one.result() for one in both) + waiting(db_url) == 40
    seals.seal_others(db, run_id, lambda *_: None)
    ids = rows(db_url, "select unnest(external_audit_ids) as id from scout.seals")
    assert len(ids) == len(set(ids)) == 41
    assert broken(db) == {}


def test_batches_of_a_dead_run_are_sealed_by_the_next_refresh_not_by_a_decision(
    db: Database, db_url: str, monkeypatch
):
    story(db_url)

    def dies() -> None:
        raise KeyboardInterrupt

    passed = at_point(monkeypatch, "before commit", dies)
    with pytest.raises(KeyboardInterrupt):
        refresh(db, environ={"SCOUT_RUN_MAX_ROWS": "1"})
    assert "before batch commit" in passed
    dead = value(db_url, "select max(run_id) from scout.runs")
    decided = decide(db, CARLA, 9)
    assert sealed(db_url)[-1][:2] == (decided.run_id, [decided.run_id])
    assert broken(db) == {}
    done = refresh(db)
    assert [covered for run_id, covered, *_ in sealed(db_url) if run_id == done.run_id] == [
        [dead],
        [done.run_id],
    ]
    assert broken(db) == {}


def test_row_of_no_run_that_waits_for_no_seal_is_found(db: Database, db_url: str):
    story(db_url)
    refresh(db)
    row = (
        f"insert into {AUDIT} (person_key, backfill_method, actor)"
        f" values ('{key('ana')}', 'EXTERNAL_CHANGE', 'x')"
    )
    do(db_url, row)
    assert waiting(db_url) == 1
    assert "runs_are_sealed" not in broken(db)
    do(
        db_url,
        f"alter table {AUDIT} disable trigger scout_wait_for_seal",
        row,
        f"alter table {AUDIT} enable trigger scout_wait_for_seal",
    )
    refresh(db)
    assert waiting(db_url) == 0
    (found,) = broken(db)["runs_are_sealed"]
    assert "of no run is in no seal" in found["problem"]
