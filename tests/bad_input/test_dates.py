"""Dates and times that Python cannot hold, or that nobody means, in every column that is read."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from scout_core.attribution import conflicts, coverage, persons
from scout_core.db.database import ADMIN, CHECK, LOOK, Database
from scout_core.health import verdict as health
from scout_core.job.refresh import plan
from scout_core.settings import load
from tests.support import factories
from tests.support.installing import init, opened, run
from tests.support.looking import CONTRACT, Look, State, look, refresh, write

BAD = ["9999-12-31", "infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "1899-12-31"]
SETTINGS = load({}, dotenv=None)
MEND = (
    "update canon.identity_registry set created_at = now()",
    "update canon.identity_links set linked_at = now()",
    "update observational.lead_events set event_date = '2026-03-02', created_at = now()",
    "update observational.lead_ledger set updated_at = now()",
    "update public.module_ct_migrations set hire_date = now(), created_at = now()",
    "update public.module_ct_scouting_daily set registration_date = now(), created_at = now()",
    "update public.module_ct_cabinet_payments set date = now(), created_at = now()",
    "update public.module_ct_cabinet_leads set lead_created_at = now()",
    "update public.module_ct_scouts_list set created_at = now(), updated_at = now()",
)


def fill(conn: Connection, bad: str) -> dict[str, UUID]:
    """Two persons with every kind of source row, all their dates bad; a third with sound ones."""
    made = {}
    for name, scout in (("one scout", 7), ("two scouts", 8)):
        person = factories.person(conn, created_at=bad)
        driver = factories.driver(conn, person=person)
        conn.execute(text("update canon.identity_links set linked_at = :bad"), {"bad": bad})
        factories.lead_event(conn, person=person, scout=7, on=bad, created_at=bad)
        factories.ledger(conn, person=person, at=bad)
        factories.migration(conn, scout=7, driver=driver, at=bad, created_at=bad)
        row = factories.scouting_row(conn, scout=scout, on=bad, created_at=bad)
        factories.link(conn, person=person, table="module_ct_scouting_daily", pk=row, at=bad)
        factories.payment(conn, scout=7, person=person, on=bad, created_at=bad, trip_1=True)
        lead = factories.cabinet_lead(conn, external=f"x{scout}", lead_created_at=bad)
        factories.link(conn, person=person, table="module_ct_cabinet_leads", pk=f"x{scout}", at=bad)
        assert lead
        factories.claim(conn, person=person, driver=driver)
        made[name] = person
    factories.scouting_row(conn, scout=9, phone="999888777", on=bad, created_at=bad)
    factories.scout_listed(conn, 7, name="Rosa", created_at=bad, updated_at=bad)
    factories.scout_listed(conn, 8, name="Luis")
    made["sound"] = factories.person(conn)
    factories.lead_event(conn, person=made["sound"], scout=7)
    return made


def odd_times(seen: Look) -> list[tuple[str, str, Any]]:
    """Dates and times outside 1900..2199 that a view shows."""
    return [
        (view, column, shown)
        for view, listed in seen.views.items()
        for row in listed
        for column, shown in row.items()
        if isinstance(shown, date) and not 1900 <= shown.year <= 2199
    ]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("bad", BAD)
def test_bad_dates_are_reported_and_never_shown(db: Database, bad: str) -> None:
    with db.transaction(ADMIN) as conn:
        made = fill(conn, bad)
    refresh(db)
    seen = look(db)
    assert odd_times(seen) == []
    assert seen.states[made["one scout"]] == State(scout=7)
    assert seen.states[made["two scouts"]] == State(
        category="D", reason="OTHER_SOURCE_DISAGREES", conflict="SEVERAL_SCOUTS"
    )
    assert seen.states[made["sound"]] == State(scout=7)
    pieces = seen.rows_of("v_scout_attribution_raw", person_key=made["two scouts"])
    assert len(pieces) == 4
    assert {(p["attribution_date"], p["created_at"]) for p in pieces} == {(None, None)}
    bad_issues = [i for i in seen.issues if i.rule == "DATE_OUT_OF_RANGE"]
    tables = {i.table for i in bad_issues}
    assert tables == {
        "canon.identity_registry",
        "canon.identity_links",
        "observational.lead_events",
        "observational.lead_ledger",
        "public.module_ct_migrations",
        "public.module_ct_scouting_daily",
        "public.module_ct_cabinet_payments",
        "public.module_ct_cabinet_leads",
        "public.module_ct_scouts_list",
    }
    assert not [i for i in bad_issues if i.person == made["sound"]]
    readers_do_not_fail(db, made)
    write(db, *MEND)
    refresh(db)
    assert [i for i in look(db).issues if i.rule == "DATE_OUT_OF_RANGE" and i.is_open] == []


def readers_do_not_fail(db: Database, made: dict[str, UUID]) -> None:
    """What the command line shows of the same rows."""
    with db.transaction(LOOK) as conn:
        for person in made.values():
            told = persons.explain(conn, str(person))
            assert told.state["person_key"] == str(person)
        assert [c.person_key for c in conflicts.list_open(conn, page_size=9).rows] == [
            str(made["two scouts"])
        ]
        assert coverage.snapshot(conn).conflicts_count == 1
        verdict = health.assess(conn, SETTINGS, datetime.now(UTC))
        assert [r.indicator for r in verdict.reasons] == ["satisfactory", "conflicts", "last_run"]
    with db.transaction(CHECK) as conn:
        assert plan(conn, SETTINGS).scouts == ()


def test_limits_of_sound_dates(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        kept = ("1900-01-01", "2199-12-31")
        for scout, day in enumerate((*kept, "1899-12-31", "2200-01-01"), start=1):
            factories.lead_event(conn, person=ana, scout=scout, on=day)
    refresh(db)
    seen = look(db)
    days = {
        row["scout_id"]: str(row["attribution_date"])
        for row in seen.views["v_scout_attribution_raw"]
    }
    assert days == {1: "1900-01-01", 2: "2199-12-31", 3: "None", 4: "None"}
    assert seen.row_of("v_scout_attribution", person_key=ana)["scout_id"] == 2
    assert sorted(i.excerpt for i in seen.issues) == ["189*-**-**", "220*-**-**"]


@pytest.mark.parametrize("bad", ["9999-12-31", "10000-01-01", "0044-03-15 BC"])
def test_claim_with_a_bad_date_is_shown_without_it(db: Database, bad: str) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        factories.lead_event(conn, person=ana, scout=7)
        factories.claim(conn, person=ana, driver="d1", lead_date=bad, pay_date=bad)
        factories.claim(conn, person=ana, driver="d2")
    refresh(db)
    seen = look(db)
    assert odd_times(seen) == []
    odd = seen.row_of("v_yango_collection_with_scout", driver_id="d1")
    assert (odd["lead_date"], odd["pay_date"], odd["scout_id"]) == (None, None, 7)
    sound = seen.row_of("v_yango_collection_with_scout", driver_id="d2")
    assert (sound["lead_date"], sound["scout_id"]) == (factories.DAY, 7)


def test_claims_that_the_owners_view_cannot_compute_harm_nothing_else(db: Database) -> None:
    """Days overdue of an infinite date: the owner's view raises, and ours on it; the rest works."""
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        factories.lead_event(conn, person=ana, scout=7)
        factories.claim(conn, person=ana, lead_date="infinity")
    assert refresh(db).status == "COMPLETED"
    for view in sorted(CONTRACT):
        if view != "v_yango_collection_with_scout":
            with db.transaction(LOOK) as conn:
                conn.execute(text(f"select * from ops.{view}")).all()


def test_payment_to_a_scout_at_a_bad_time_is_reported_and_counts(source_db: str) -> None:
    run(
        source_db,
        "create table ops.scout_liquidation_ledger (id serial primary key, person_key"
        " uuid, scout_id integer, milestone_value integer, amount numeric, paid_at timestamptz)",
    )
    init(source_db)
    with opened(source_db) as db:
        with db.transaction(ADMIN) as conn:
            ana, luis = factories.person(conn), factories.person(conn)
            for person in (ana, luis):
                factories.lead_event(conn, person=person, scout=7)
                factories.claim(conn, person=person, driver=str(person))
                factories.link(conn, person=person, table="drivers", pk=person)
            conn.execute(
                text(
                    "insert into ops.scout_liquidation_ledger"
                    " (person_key, scout_id, milestone_value, amount, paid_at)"
                    " values (:ana, 7, 1, 10, '0044-03-15 BC'), (:luis, 7, 1, 10, 'infinity')"
                ),
                {"ana": ana, "luis": luis},
            )
        refresh(db)
        seen = look(db)
        status = {r["person_key"]: r["payment_status"] for r in seen.views["v_scout_payment_base"]}
        # one that is to come was not made yet
        assert status == {ana: "PAID", luis: "ELIGIBLE"}
        assert {(i.rule, i.table, i.person) for i in seen.issues} == {
            ("DATE_OUT_OF_RANGE", "ops.scout_liquidation_ledger", person) for person in (ana, luis)
        }
