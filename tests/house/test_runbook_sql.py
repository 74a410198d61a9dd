"""The SQL of the owner's runbook runs as written and gives the columns that it shows."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from scout_core.db.database import ADMIN, LOOK, Database
from tests.support.looking import refresh, refreshed_demo, rows, value

SNAPSHOT = """SELECT * FROM ops.v_scout_attribution_metrics_snapshot;"""
LAST_RUNS = """
SELECT 
    id,
    job_type,
    status,
    started_at,
    completed_at,
    error_message
FROM ops.ingestion_runs
WHERE job_type = 'scout_attribution_refresh'
ORDER BY started_at DESC
LIMIT 5;
"""  # noqa: W291
CONFLICTS = """SELECT COUNT(*) FROM ops.v_scout_attribution_conflicts;"""
BACKLOG = """
SELECT 
    category,
    COUNT(*) as count
FROM ops.v_persons_without_scout_categorized
GROUP BY category;
"""  # noqa: W291
LINKS_OF_THE_DAY = """
SELECT 
    action_type,
    COUNT(*) as count
FROM ops.identity_links_backfill_audit
WHERE backfill_timestamp >= NOW() - INTERVAL '24 hours'
GROUP BY action_type;
"""  # noqa: W291
SCOUTS_OF_THE_DAY = """
SELECT 
    COUNT(*) as updated_count
FROM ops.lead_ledger_scout_backfill_audit
WHERE backfill_timestamp >= NOW() - INTERVAL '24 hours';
"""  # noqa: W291
LINKS_OF_THE_MONTH = """
SELECT 
    source_table,
    action_type,
    COUNT(*) as count,
    MIN(backfill_timestamp) as first_backfill,
    MAX(backfill_timestamp) as last_backfill
FROM ops.identity_links_backfill_audit
WHERE backfill_timestamp >= NOW() - INTERVAL '30 days'
GROUP BY source_table, action_type
ORDER BY last_backfill DESC;
"""  # noqa: W291
SCOUTS_OF_THE_MONTH = """
SELECT 
    backfill_method,
    COUNT(*) as updated_count,
    MIN(backfill_timestamp) as first_backfill,
    MAX(backfill_timestamp) as last_backfill
FROM ops.lead_ledger_scout_backfill_audit
WHERE backfill_timestamp >= NOW() - INTERVAL '30 days'
GROUP BY backfill_method
ORDER BY last_backfill DESC;
"""  # noqa: W291
HISTORY = """
SELECT 
    id,
    status,
    started_at,
    completed_at,
    EXTRACT(EPOCH FROM (completed_at - started_at))::INTEGER as duration_seconds,
    error_message
FROM ops.ingestion_runs
WHERE job_type = 'scout_attribution_refresh'
ORDER BY started_at DESC
LIMIT 20;
"""  # noqa: W291


@pytest.fixture(scope="module")
def demo_db(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as db:
        refresh(db)
        yield db


def asked(db: Database, statement: str) -> list[dict[str, Any]]:
    """The rows of a statement of the runbook, which any login with the owner's rights may run."""
    with db.transaction(ADMIN) as conn:
        result = conn.execution_options(no_parameters=True).exec_driver_sql(statement)
        return [dict(row) for row in result.mappings()]


def test_snapshot_is_one_row_that_tells_of_the_last_run(demo_db: Database) -> None:
    (row,) = asked(demo_db, SNAPSHOT)
    assert row["last_job_status"] == "COMPLETED"
    assert row["last_job_started_at"] <= row["last_job_ended_at"] <= row["snapshot_timestamp"]
    assert 0 <= row["last_job_duration_seconds"] < 60
    assert set(row["last_job_summary"]["steps"]) == {"link", "propagate", "record"}
    assert row["last_job_error"] is None
    assert row["total_persons"] >= 300


def test_last_runs_are_the_newest_of_the_job(demo_db: Database) -> None:
    listed = asked(demo_db, LAST_RUNS)
    columns = ["id", "job_type", "status", "started_at", "completed_at", "error_message"]
    assert list(listed[0]) == columns
    assert {row["job_type"] for row in listed} == {"scout_attribution_refresh"}
    assert listed[0]["id"] == value(demo_db, "select max(id) from ops.ingestion_runs")
    started = [row["started_at"] for row in listed]
    assert started == sorted(started, reverse=True)


def test_history_gives_each_run_with_its_duration(demo_db: Database) -> None:
    listed = asked(demo_db, HISTORY)
    assert list(listed[0]) == [
        "id", "status", "started_at", "completed_at", "duration_seconds", "error_message",
    ]  # fmt: skip
    total = value(
        demo_db,
        "select count(*) from ops.ingestion_runs where job_type = 'scout_attribution_refresh'",
    )
    assert len(listed) == min(total, 20)
    assert all(row["duration_seconds"] >= 0 for row in listed)


def test_conflicts_and_backlog_are_those_of_the_snapshot(demo_db: Database) -> None:
    (numbers,) = asked(demo_db, SNAPSHOT)
    assert asked(demo_db, CONFLICTS) == [{"count": numbers["conflicts_count"]}]
    assert {row["category"]: row["count"] for row in asked(demo_db, BACKLOG)} == {
        "A": numbers["backlog_a_events_without_scout"],
        "C": numbers["backlog_c_legacy_no_events_no_ledger"],
        "D": numbers["backlog_d_scout_in_events_not_in_ledger"],
    }


def test_links_of_the_day_are_what_the_runs_say(demo_db: Database) -> None:
    steps = rows(
        demo_db,
        "select (stats -> 'steps' -> 'link' ->> 'changed')::integer,"
        " (stats -> 'steps' -> 'link' ->> 'reasons_written')::integer from ops.ingestion_runs"
        " where completed_at >= now() - interval '24 hours' and stats -> 'seal' is not null",
    )
    counts = {row["action_type"]: row["count"] for row in asked(demo_db, LINKS_OF_THE_DAY)}
    assert set(counts) == {"CREATED", "AMBIGUOUS", "SKIPPED"}
    assert counts["CREATED"] >= sum(changed for changed, _ in steps) > 0
    assert counts["AMBIGUOUS"] + counts["SKIPPED"] >= sum(written for _, written in steps) > 0


def test_scouts_of_the_day_are_what_the_audit_holds(demo_db: Database) -> None:
    (row,) = asked(demo_db, SCOUTS_OF_THE_DAY)
    assert list(row) == ["updated_count"]
    assert row["updated_count"] > 0


def test_audit_of_the_month_by_kind(demo_db: Database) -> None:
    links = asked(demo_db, LINKS_OF_THE_MONTH)
    assert list(links[0]) == [
        "source_table", "action_type", "count", "first_backfill", "last_backfill",
    ]  # fmt: skip
    assert {row["source_table"] for row in links} == {"module_ct_scouting_daily"}
    scouts = asked(demo_db, SCOUTS_OF_THE_MONTH)
    assert list(scouts[0]) == [
        "backfill_method", "updated_count", "first_backfill", "last_backfill",
    ]  # fmt: skip
    methods = {row["backfill_method"]: row["updated_count"] for row in scouts}
    assert methods["BACKFILL_SINGLE_SCOUT_FROM_EVENTS"] > 0
    for listed in (links, scouts):
        newest = [row["last_backfill"] for row in listed]
        assert newest == sorted(newest, reverse=True)
        assert all(row["first_backfill"] <= row["last_backfill"] for row in listed)


def test_views_and_audit_may_be_read_with_the_readers_rights_alone(demo_db: Database) -> None:
    for statement in (
        SNAPSHOT, CONFLICTS, BACKLOG, LINKS_OF_THE_DAY, SCOUTS_OF_THE_DAY, LINKS_OF_THE_MONTH,
        SCOUTS_OF_THE_MONTH,
    ):  # fmt: skip
        with demo_db.transaction(LOOK) as conn:
            assert conn.execute(text(statement)).all()


def test_scout_set_by_hand_resolves_a_conflict_and_stays(demo_db: Database) -> None:
    """What the runbook advises: the right scout straight into the ledger, with SQL."""
    several = "conflict_kind = 'SEVERAL_SCOUTS'"
    chosen = rows(
        demo_db,
        "select person_key, scout_ids[1] from ops.v_scout_attribution_conflicts"
        f" where {several} order by person_key limit 2",
    )
    ((person, scout), (other, _)) = chosen
    with demo_db.transaction(ADMIN) as conn:
        conn.execute(
            text(
                "insert into observational.lead_ledger (person_key, attributed_scout_id,"
                " attribution_score, confidence_level, decision_status)"
                " values (:person, :scout, 1, 'high', 'assigned') on conflict (person_key)"
                " do update set attributed_scout_id = excluded.attributed_scout_id"
            ),
            {"person": person, "scout": scout},
        )
    refresh(demo_db)
    open_now = {
        row[0] for row in rows(demo_db, "select person_key from ops.v_scout_attribution_conflicts")
    }
    assert person not in open_now
    assert other in open_now
    ledger = "select attributed_scout_id from observational.lead_ledger where person_key = :p"
    assert value(demo_db, ledger, p=person) == scout
    noted = rows(
        demo_db,
        "select backfill_method, new_attributed_scout_id from"
        " ops.lead_ledger_scout_backfill_audit where person_key = :p order by id desc limit 1",
        p=person,
    )
    assert noted == [("EXTERNAL_CHANGE", scout)]
