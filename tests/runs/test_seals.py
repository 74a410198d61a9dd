"""Seals: a run seals what it wrote, a refresh what others wrote, and nobody waits for the other."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from scout_core.access import denials, tokens
from scout_core.db.database import Database
from scout_core.errors import PermissionDenied, RunFailed
from scout_core.export import delivery
from scout_core.export.writer import Form
from scout_core.runs import seals
from scout_core.runs.lock import LOCK_CLASS
from tests.decide.test_decisions import CARLA, decide
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
from tests.support.tampering import ADMIN, VIEWER, attacking, is_found

NOW = datetime.now(UTC)
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
        "select s.run_id, s.covered_run_ids, s.row_count, count(i.id) from scout.seals as s"
        " left join scout.v_sealed_ids as i on i.seal_no = s.seal_no"
        " group by s.seal_no order by s.seal_no",
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
    ids = f"select id from scout.v_sealed_ids where table_name = '{AUDIT}' order by id"
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
    # one row, and the run that failed
    assert waiting(db_url) == 2
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
    ids = rows(db_url, "select table_name, id from scout.v_sealed_ids")
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
    assert found["problem"] == f"{AUDIT} 5 is in no seal and waits for none"


def waiting_rows(url: str) -> set[tuple]:
    return set(rows(url, "select table_name, id from scout.unsealed_rows"))


def test_failed_run_is_sealed_by_the_next_refresh_with_how_it_ended(
    db: Database, db_url: str, monkeypatch
):
    def fails() -> None:
        raise KeyboardInterrupt

    at_point(monkeypatch, "mid work", fails)
    with pytest.raises(KeyboardInterrupt):
        refresh(db)
    failed = value(db_url, "select max(run_id) from scout.runs")
    assert waiting_rows(db_url) == {("scout.runs", failed)}
    assert broken(db) == {}
    done = refresh(db)
    assert [covered for run_id, covered, *_ in sealed(db_url) if run_id == done.run_id] == [
        [failed],
        [done.run_id],
    ]
    assert broken(db) == {}
    for change in ("completed_at = now()", "error_message = 'all went well'", "stats = '[]'"):
        with attacking(db_url, "ops.ingestion_runs") as conn:
            conn.exec_driver_sql(f"update ops.ingestion_runs set {change} where id = {failed}")
            assert is_found(conn)


def test_run_that_was_closed_by_hand_is_sealed_too(db: Database, db_url: str):
    refresh(db)
    run_id = value(
        db_url,
        "with r as (insert into ops.ingestion_runs (job_type, status) values"
        " ('scout_attribution_refresh', 'RUNNING') returning id) insert into scout.runs (run_id,"
        " kind, trigger, actor, host, process_id, version) select id, 'refresh', 'manual', 'olga',"
        " 'elsewhere', 1, 'x' from r returning run_id",
    )
    do(
        db_url,
        "update ops.ingestion_runs set status = 'FAILED', completed_at = now()"
        f" where id = {run_id}",
    )
    assert waiting(db_url) == 0
    assert broken(db) == {}
    done = refresh(db)
    assert sealed(db_url)[-2][:2] == (done.run_id, [run_id])
    assert broken(db) == {}


def test_nothing_is_logged_of_a_run_that_was_closed_as_lost(db: Database, db_url: str, monkeypatch):
    """Its process may live on, when only its connection died; the next refresh seals it."""
    story(db_url)

    def closed() -> None:
        do(
            db_url,
            "with r as (update ops.ingestion_runs set status = 'FAILED', completed_at = now()"
            " where status = 'RUNNING' returning id) insert into ops.job_runs_audit"
            " (ingestion_run_id, event, actor) select id, 'FAILED', 'olga' from r",
        )

    at_point(monkeypatch, "mid work", closed)
    with pytest.raises(RunFailed):
        refresh(db)
    events = rows(
        db_url, "select event from ops.job_runs_audit where ingestion_run_id = 1 order by id"
    )
    assert events == [("STARTED",), ("FAILED",)]
    refresh(db)
    assert broken(db) == {}


def test_run_seals_its_own_end_and_is_told_by_its_seal(db: Database, db_url: str):
    result = refresh(db)
    assert sealed(db_url) == [(result.run_id, [result.run_id], 0, 0)]
    kept = rows(db_url, "select seal_no, row_count, seal_hash from scout.seals")
    told = result.stats["seal"]
    assert [(told["seal_no"], told["rows"], told["sha256"])] == kept
    with attacking(db_url, "ops.ingestion_runs") as conn:
        conn.exec_driver_sql(
            "update ops.ingestion_runs set completed_at = completed_at - interval '1 hour'"
        )
        assert is_found(conn)


def test_what_pages_and_the_api_write_waits_for_nobody_who_seals(db: Database, db_url: str):
    """Neither for the lock of the chain nor for rows that are being sealed."""
    refresh(db)
    denied = PermissionDenied(action="run")
    denials.record(db, VIEWER, denied, "api")
    with writing(db_url) as conn:
        conn.exec_driver_sql(f"select pg_advisory_xact_lock({LOCK_CLASS}, 1000)")
        conn.exec_driver_sql("select from scout.unsealed_rows for update")
        # a lock would be waited for, and given up as 55P03
        denials.record(db, VIEWER, denied, "page")
        delivery.export_to(
            db, db, "runs", None, io.BytesIO(), Form(), actor=ADMIN, via="api", now=NOW
        )
    assert value(db_url, "select count(*) from scout.denials") == 2
    assert waiting_rows(db_url) == {
        ("scout.denials", 1),
        ("scout.denials", 2),
        ("scout.export_audit", 1),
    }


def test_one_seal_covers_what_waits_in_several_tables(db: Database, db_url: str):
    refresh(db)
    denials.record(db, VIEWER, PermissionDenied(action="run"), "api")
    token = tokens.create(db, actor=ADMIN, name="one", role="viewer", now=NOW).token_id
    tokens.revoke(db, actor=ADMIN, token_id=token)
    load(db_url, 2)
    done = refresh(db)
    assert sealed(db_url)[1:] == [(done.run_id, [], 5, 5), (done.run_id, [done.run_id], 0, 0)]
    assert value(db_url, "select covered_rows from scout.seals where seal_no = 2") == {
        AUDIT: [1, 2],
        "scout.denials": [1],
        "scout.token_events": [1, 2],
    }
    assert broken(db) == {}
