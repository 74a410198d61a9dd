"""Evidence that is sound by itself and odd beside the rest: ledger, scouts' list, other sources."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from scout_core.db.database import ADMIN, Database
from tests.support import factories
from tests.support.looking import State, look, refresh, rows, write

LEDGER = """
select attributed_scout_id, attribution_rule, attributed_source, attribution_score::text,
    confidence_level::text, decision_status::text
from observational.lead_ledger where person_key = :person
"""
AUDIT = """
select old_attributed_scout_id, new_attributed_scout_id, is_new_row, ingestion_run_id
from ops.lead_ledger_scout_backfill_audit
where person_key = :person and backfill_method = 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS'
"""
BACKFILL = "BACKFILL_SINGLE_SCOUT_FROM_EVENTS"


def test_same_scout_in_every_source_is_one_scout(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana, luis = factories.person(conn), factories.person(conn)
        for person, other in ((ana, 7), (luis, 8)):
            driver = factories.driver(conn, person=person)
            factories.lead_event(conn, person=person, scout=7)
            factories.payment(conn, scout=7, person=person)
            factories.migration(conn, scout=other, driver=driver)
    refresh(db)
    seen = look(db)
    assert seen.states == {
        ana: State(scout=7),
        luis: State(category="D", reason="OTHER_SOURCE_DISAGREES", conflict="SEVERAL_SCOUTS"),
    }
    assert len(seen.rows_of("v_scout_attribution_raw", person_key=ana)) == 4
    assert seen.row_of("v_scout_attribution_conflicts", person_key=luis)["scout_ids"] == [7, 8]


def test_person_without_ledger_row_gets_one_and_an_existing_row_is_filled(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        new, known, without = (factories.person(conn) for _ in range(3))
        factories.lead_event(conn, person=new, scout=7, source_table="ct_leads")
        factories.lead_event(conn, person=known, scout=8, source_table="ct_leads")
        factories.lead_event(conn, person=without)
        factories.ledger(conn, person=known, attribution_score=0.5, evidence_json='{"old": 1}')
    run = refresh(db).run_id
    assert rows(db, LEDGER, person=new) == [(7, BACKFILL, "ct_leads", "0.95", "high", "assigned")]
    assert rows(db, LEDGER, person=known) == [(8, BACKFILL, "ct_leads", "0.50", "high", "assigned")]
    assert rows(db, LEDGER, person=without) == []
    assert rows(db, AUDIT, person=new) == [(None, 7, True, run)]
    assert rows(db, AUDIT, person=known) == [(None, 8, False, run)]
    ((evidence,),) = rows(
        db, "select evidence_json from observational.lead_ledger where person_key = :p", p=known
    )
    assert evidence["old"] == 1
    assert evidence["scout_backfill"]["run_id"] == run
    again = refresh(db)
    assert again.stats["seal"]["rows"] == 0
    assert rows(db, LEDGER, person=new) == [(7, BACKFILL, "ct_leads", "0.95", "high", "assigned")]


def test_evidence_of_the_ledger_is_kept_whatever_it_is(db: Database) -> None:
    kinds = {"null": None, "[1, 2]": "[1, 2]", '"x"': "x", '{"a": 1}': None}
    with db.transaction(ADMIN) as conn:
        persons = {old: factories.person(conn) for old in kinds}
        for old, person in persons.items():
            factories.lead_event(conn, person=person, scout=7)
            factories.ledger(conn, person=person, evidence_json=old)
    run = str(refresh(db).run_id)
    query = (
        "select evidence_json ->> 'previous', evidence_json ->> 'a',"
        " evidence_json -> 'scout_backfill' ->> 'run_id'"
        " from observational.lead_ledger where person_key = :p"
    )
    for old, person in persons.items():
        kept = "1" if old == '{"a": 1}' else None
        assert rows(db, query, p=person) == [(kinds[old], kept, run)]


def test_scout_of_the_ledger_is_left_alone_and_contradicted_only_by_newer_evidence(
    db: Database,
) -> None:
    then = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with db.transaction(ADMIN) as conn:
        older, newer, same = (factories.person(conn) for _ in range(3))
        # from before the installation: no trigger notes how the ledger got its scout
        conn.execute(text("set local session_replication_role = replica"))
        for person, scout, created in (
            (older, 8, then - timedelta(hours=1)),
            (newer, 8, then + timedelta(hours=1)),
            (same, 7, then + timedelta(hours=1)),
        ):
            factories.ledger(conn, person=person, scout=7, at=then)
            factories.lead_event(conn, person=person, scout=scout, created_at=created)
    before = rows(db, "select * from observational.lead_ledger order by person_key")
    refresh(db)
    assert rows(db, "select * from observational.lead_ledger order by person_key") == before
    seen = look(db)
    assert seen.states == {
        older: State(scout=7),
        newer: State(scout=7, conflict="CONTRADICTS_LEDGER"),
        same: State(scout=7),
    }
    conflict = seen.row_of("v_scout_attribution_conflicts")
    assert (conflict["ledger_scout_id"], conflict["scout_ids"]) == (7, [7, 8])
    for person in (older, newer, same):
        assert rows(db, AUDIT, person=person) == []


def test_scout_that_is_not_listed_is_held_and_an_inactive_one_is_attributed(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        unlisted, inactive, huge, other = (factories.person(conn) for _ in range(4))
        factories.scout_listed(conn, 7, name="Rosa", active=False)
        factories.scout_listed(conn, 8, name="Luis")
        unknown = factories.lead_event(conn, person=unlisted, scout=9)
        factories.lead_event(conn, person=inactive, scout=7)
        factories.lead_event(conn, person=huge, payload={"scout_id": "2147483647"})
        paid = factories.payment(conn, person=other, scout=10)
        factories.claim(conn, person=inactive)
    refresh(db)
    seen = look(db)
    held = State(category="D", reason="UNKNOWN_SCOUT")
    assert seen.states == {
        unlisted: held,
        inactive: State(scout=7),
        huge: held,
        other: State(category="C", reason="SCOUT_ONLY_IN_OTHER_SOURCE"),
    }
    (issue,) = seen.open_issues(unknown)
    assert (issue.rule, issue.person) == ("UNKNOWN_SCOUT", unlisted)
    (issue,) = seen.open_issues(paid, "public.module_ct_cabinet_payments")
    assert (issue.rule, issue.person) == ("UNKNOWN_SCOUT", other)
    assert seen.row_of("v_yango_collection_with_scout")["scout_is_active"] is False
    assert seen.row_of("v_dim_scouts", scout_id=7)["is_active"] is False
    with db.transaction(ADMIN) as conn:
        factories.scout_listed(conn, 9, name="Nueva")
    refresh(db)
    seen = look(db)
    assert seen.states[unlisted] == State(scout=9)
    assert seen.states[huge] == held
    assert seen.open_issues(unknown) == []


def test_every_scout_is_known_while_the_list_is_empty(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        factories.lead_event(conn, person=ana, scout=2147483647)
    refresh(db)
    seen = look(db)
    assert seen.states == {ana: State(scout=2147483647)}
    assert seen.issues == []


def test_no_scout_is_known_while_the_list_has_no_number_that_can_be_read(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        event = factories.lead_event(conn, person=ana, scout=2147483647)
        conn.execute(text("insert into public.module_ct_scouts_list (scout_id) values (null), (0)"))
    refresh(db)
    seen = look(db)
    assert seen.states[ana].scout is None
    assert [issue.rule for issue in seen.open_issues(event)] == ["UNKNOWN_SCOUT"]
    assert {issue.rule for issue in seen.issues} == {"UNKNOWN_SCOUT", "UNREADABLE_SCOUT"}


@pytest.mark.parametrize("zone", ["UTC", "America/Lima", "Pacific/Auckland"])
def test_days_are_those_of_lima_whatever_zone_the_server_has(db: Database, zone: str) -> None:
    name = rows(db, "select current_database()")[0][0]
    write(db, f"alter database {name} set timezone = '{zone}'")
    db.dispose()
    with db.transaction(ADMIN) as conn:
        evening, morning = factories.person(conn), factories.person(conn)
        driver = factories.driver(conn, person=evening)
        factories.migration(conn, scout=7, driver=driver, at="2025-12-31 23:30:00")
        for person, at in (
            (evening, "2026-01-01 03:00:00+00"),
            (morning, "2026-01-01 05:00:00+00"),
        ):
            factories.ledger(conn, person=person, scout=7, at=at)
    refresh(db)
    seen = look(db)
    days = {
        (row["person_key"], row["priority"]): row["attribution_date"]
        for row in seen.views["v_scout_attribution_raw"]
    }
    assert days == {
        (evening, 1): date(2025, 12, 31),
        (evening, 3): date(2025, 12, 31),
        (morning, 1): date(2026, 1, 1),
    }
    # without our preamble, as psql or a BI tool reads
    with db.transaction(ADMIN) as conn:
        conn.execute(text(f"set local timezone = '{zone}'"))
        shown = conn.execute(
            text(
                "select attribution_date, created_at from ops.v_scout_attribution_raw"
                " where priority = 3"
            )
        ).all()
    ((day, _),) = shown
    assert day == date(2025, 12, 31)
