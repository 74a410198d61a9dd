"""A sequence that is behind its column: named with what sets it, by the run and by doctor."""

from datetime import UTC, datetime

import pytest

from scout_core.db.database import LOOK, Database
from scout_core.errors import DatabaseError
from scout_core.health import verdict
from scout_core.install import doctor
from tests.support import factories as new
from tests.support.job import do, key, refresh, rows, settings, story, value, writing

LINKS = (
    "insert into canon.identity_links (id, person_key, source_table, source_pk, snapshot_date,"
    " match_rule, match_score, confidence_level) select g, '"
    f"{key('ana')}',"
    " 'elsewhere', g::text, now(), 'R1', 95, 'HIGH' from generate_series(101, 110) g"
)
RUNS = (
    "insert into ops.ingestion_runs (id, started_at, completed_at, status)"
    " select g, now(), now(), 'COMPLETED'"
    " from generate_series(101, 110) g"
)
UNMATCHED = (
    "insert into canon.identity_unmatched (id, source_table, source_pk, snapshot_date, reason_code)"
    " select g, 'elsewhere', g::text, now(), 'X'"
    " from generate_series(101, 110) g"
)
AUDIT = "select setval(pg_get_serial_sequence('ops.identity_links_backfill_audit', 'id'), 1, false)"
CASES = {
    "canon.identity_links": ("canon.identity_links_id_seq", LINKS),
    "canon.identity_unmatched": ("canon.identity_unmatched_id_seq", UNMATCHED),
    "ops.ingestion_runs": ("ops.ingestion_runs_id_seq", RUNS),
    "ops.identity_links_backfill_audit": ("ops.identity_links_backfill_audit_id_seq", AUDIT),
}


@pytest.mark.parametrize("table", CASES)
def test_a_sequence_that_is_behind_is_named_with_what_sets_it(
    db: Database, db_url: str, table: str
) -> None:
    sequence, statement = CASES[table]
    story(db_url)
    assert refresh(db).status == "COMPLETED"
    before = rows(db_url, "select person_key, attributed_scout_id from observational.lead_ledger")
    do(db_url, statement)
    if statement != AUDIT:
        do(db_url, f"select setval('{sequence}', (select max(id) - 5 from {table}))")
    with writing(db_url) as conn:
        new.scouting_row(conn, scout=6, license="another-100")
        new.scouting_row(conn, scout=6)
        new.person(conn, key=key("fede"))
        new.lead_event(conn, person=key("fede"), scout=5)

    finding = _finding(db, sequence)
    assert finding.state == "FAIL"
    mend = f"select setval('{sequence}', (select max(id) from {table}));"
    assert finding.todo.endswith(mend)

    with pytest.raises(DatabaseError, match=f"equence {sequence} is behind {table}.id") as failed:
        refresh(db)
    assert mend in failed.value.message
    assert failed.value.exit_code == 1
    with db.transaction(LOOK) as conn:
        light = next(
            r
            for r in verdict.assess(conn, settings(), datetime.now(UTC)).reasons
            if r.indicator == "last_run"
        )
    assert (light.status, sequence in light.text) == ("FAIL", True)
    assert before == rows(
        db_url, "select person_key, attributed_scout_id from observational.lead_ledger"
    )
    # nobody but the owner moved it
    assert value(
        db_url, f"select max(id) > s.last_value from {table}, {sequence} s group by s.last_value"
    )

    do(db_url, mend)
    assert _finding(db, "sequences").state == "OK"
    assert refresh(db).status == "COMPLETED"


def _finding(db: Database, name: str) -> doctor.Finding:
    found = [f for f in doctor.examine(db, settings()) if f.layer == "sequences"]
    return next(f for f in found if f.name == name)
