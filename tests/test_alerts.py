"""What somebody should look at: each number is the length of the list that it opens."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from scout_core import alerts
from scout_core.alerts import RuleCount
from scout_core.database import ADMIN, LOOK, Database
from scout_core.errors import BadInput
from tests.support import factories
from tests.support.looking import installed, refresh

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
RUNS = """
insert into ops.ingestion_runs (job_type, status, started_at, completed_at) values
    ('scout_attribution_refresh', 'FAILED', '2026-03-30 12:00Z', '2026-03-30 12:01Z'),
    ('scout_attribution_refresh', 'FAILED', '2026-03-01 12:00Z', '2026-03-01 12:01Z'),
    ('identity_run', 'FAILED', '2026-03-30 12:00Z', '2026-03-30 12:01Z')
"""
OLDER = """
insert into canon.identity_unmatched
    (source_table, source_pk, snapshot_date, reason_code, candidates_preview, status)
values
    ('drivers', 'd-1', now(), 'OLD_REASON', '[{"phone": "955111222"}, "955111222"]', 'OPEN'),
    ('drivers', 'd-2', now(), 'OLD_REASON', '{"a": 1}', 'IGNORED')
"""


@pytest.fixture(scope="module")
def db(server_url: str) -> Iterator[Database]:
    """Two bad values, three rows to review, three leads of which one has its scout."""
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            ana, luis, eva = (factories.person(conn) for _ in range(3))
            factories.lead_event(conn, person=ana, payload={"scout_id": "abc"})
            factories.lead_event(conn, person=ana, payload={"scoutId": 7})
            factories.scouting_row(conn, scout=7)
            factories.scouting_row(conn, scout=7, phone="955111222")
            for person in (ana, luis):
                factories.driver(conn, phone="955111222", person=person)
            for name, person in (("L1", luis), ("L2", eva)):
                factories.cabinet_lead(conn, external=name)
                factories.link(conn, person=person, table="module_ct_cabinet_leads", pk=name)
            factories.cabinet_lead(conn, external="L3", lead_created_at="infinity")
            factories.lead_event(conn, person=luis, scout=7)
            factories.lead_event(conn, person=luis, scout=8)
            factories.ledger(conn, person=eva, scout=7)
            conn.execute(text(OLDER))
        refresh(db)
        with db.transaction(ADMIN) as conn:
            conn.execute(text(RUNS))
        yield db


def test_each_count_is_the_length_of_its_list(db: Database) -> None:
    lists = {
        "issues": alerts.list_issues,
        "review": alerts.list_review,
        "leads": alerts.list_leads,
    }
    with db.transaction(LOOK) as conn:
        counts = alerts.count_by_rule(conn, failed_since=NOW - timedelta(days=7))
        for count in counts:
            if count.list_name == "runs":
                continue
            page = lists[count.list_name](conn, count.rule)
            assert page.total == len(page.rows) == count.row_count
            assert lists[count.list_name](conn, sort="oldest").total >= count.row_count
    assert {(c.list_name, c.rule, c.row_count) for c in counts} == {
        ("issues", "UNREADABLE_SCOUT", 1),
        ("issues", "SIMILAR_KEY", 1),
        ("issues", "DATE_OUT_OF_RANGE", 1),
        ("review", "NO_IDENTIFIERS", 1),
        ("review", "AMBIGUOUS_PHONE", 1),
        ("review", "OLD_REASON", 1),
        ("leads", "SCOUT_IN_EVENTS", 1),
        ("leads", "NO_SCOUT_IN_EVENTS", 1),
        ("runs", "JOB_FAILED", 1),
    }


def test_nothing_to_look_at_is_no_row(server_url: str) -> None:
    with installed(server_url) as empty, empty.transaction(LOOK) as conn:
        assert alerts.count_by_rule(conn, failed_since=NOW) == ()
        assert alerts.list_issues(conn).total == 0
        assert alerts.list_review(conn).rows == ()
        assert alerts.list_leads(conn).after is None


def test_failed_run_counts_from_the_day_asked_for(db: Database) -> None:
    with db.transaction(LOOK) as conn:
        counts = alerts.count_by_rule(conn, failed_since=NOW - timedelta(days=60))
    assert RuleCount("runs", "JOB_FAILED", 2, datetime(2026, 3, 1, 12, tzinfo=UTC)) in counts


def test_candidates_are_keys_and_never_what_an_older_row_holds(db: Database) -> None:
    with db.transaction(LOOK) as conn:
        rows = {row.reason_code: row for row in alerts.list_review(conn).rows}
    assert rows["AMBIGUOUS_PHONE"].candidate_count == 2
    assert all(len(key) == 36 for key in rows["AMBIGUOUS_PHONE"].candidate_person_keys)
    assert (rows["OLD_REASON"].candidate_count, rows["OLD_REASON"].candidate_person_keys) == (0, [])
    assert "955111222" not in str(rows)


def test_lead_without_a_usable_date_is_last_and_leads_to_nobody(db: Database) -> None:
    with db.transaction(LOOK) as conn:
        listed = alerts.list_leads(conn).rows
    assert [(r.external_id, r.potential_scout_id) for r in listed] == [("L1", None), ("L3", None)]
    assert (listed[1].lead_created_at, listed[1].person_key) == (None, None)


def test_rule_that_there_is_not_is_told(db: Database) -> None:
    with db.transaction(LOOK) as conn:
        for wrong in (alerts.list_issues, alerts.list_leads):
            with pytest.raises(BadInput, match="rule"):
                wrong(conn, "Z")
        with pytest.raises(BadInput):
            alerts.list_review(conn, "a\0")
        assert alerts.list_review(conn, "AMBIGUOUS%").total == 0
