"""Erasing a person: what goes, what stays as keys, what is named, and that nothing comes back."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from scout_core import cli
from scout_core.access.permissions import MAY, Actor
from scout_core.attribution import fingerprint, persons
from scout_core.db.database import CHECK, LOOK, Database
from scout_core.decide import decisions, erasure, undo
from scout_core.errors import BadInput, NotFound, PermissionDenied, Refused, RunBusy
from scout_core.health import source_checks
from scout_core.runs.lock import try_lock
from tests.support import factories as new
from tests.support.asking import asking
from tests.support.job import (
    OPERATOR,
    broken_at_all,
    crowd,
    decide,
    do,
    key,
    refresh,
    rows,
    scouts,
    settings,
    story,
    value,
    writing,
)

ADMIN = Actor("root", "admin")
REASON = "letter 14 of the person asks for it"
# values of Ana, wherever they stand
PHONE, LICENSE, NAME, DOCUMENT = "987650123", "QUISPE1007", "Ana Quispe Mamani", "DNIX44556677"
VALUES = (PHONE, LICENSE, "Quispe", DOCUMENT)
ANA, BETO = key("ana"), key("beto")
OURS = (
    "select c.oid::regclass::text from pg_class as c where c.relkind = 'r'"
    " and c.relnamespace in ('scout'::regnamespace, 'ops'::regnamespace) order by 1"
)
SHOWN = (
    "select c.oid::regclass::text from pg_class as c where c.relkind = 'v'"
    " and c.relnamespace = 'ops'::regnamespace order by 1"
)


@pytest.fixture
def told(db: Database, db_url: str) -> Database:
    """Ana: in the registry, linked rows of scouting and drivers, evidence of the owner in the
    ledger, a bad value, a decision, rows that share her phone. Beto: all of his own."""
    story(db_url)
    with writing(db_url) as conn:
        crowd(conn, 60)
        conn.execute(
            text(
                "update canon.identity_registry set primary_phone = :phone, primary_license ="
                " :license, primary_full_name = :name, primary_document = :document"
                " where person_key = :key"
            ),
            {
                "phone": PHONE,
                "license": LICENSE,
                "name": NAME,
                "document": DOCUMENT,
                "key": ANA,
            },
        )
        conn.execute(
            text(
                "update canon.identity_registry set primary_phone = '911222333',"
                " primary_full_name = 'Beto Rojas' where person_key = :key"
            ),
            {"key": BETO},
        )
        new.scouting_row(conn, scout=7, license=LICENSE, phone=PHONE, driver_name=NAME)
        new.lead_event(conn, person=ANA, scout=7, payload={"phone": PHONE, "scout_id": 7})
        # the licence is nobody's and the phone is that of somebody licensed: nobody can tell
        new.scouting_row(conn, scout=9, license="Z999888", phone=PHONE, driver_name=NAME)
    planted = json.dumps({"phone": PHONE, "name": NAME})
    do(
        db_url,
        f"update observational.lead_ledger set evidence_json = '{planted}'",
        "insert into canon.drivers_index (driver_id, phone_norm, license_norm, full_name_norm,"
        f" snapshot_date) values ('d-1', '{PHONE}', '{LICENSE}', '{NAME}', '2026-01-01')",
        "insert into canon.identity_links (person_key, source_table, source_pk, snapshot_date,"
        " match_rule, match_score, confidence_level, evidence)"
        f" values ('{ANA}', 'drivers', 'd-1', now(), 'R', 90, 'HIGH', '{planted}')",
        f"insert into observational.lead_events (source_table, source_pk, event_date, person_key,"
        f" payload_json) values ('x', 'bad', '2026-01-02', '{ANA}',"
        f' \'{{"scout_id": "+51 {PHONE}"}}\')',
    )
    refresh(db)
    decide(db, "ana", 7)
    source_checks.run_checks(db, settings(), new_time(db), actor=OPERATOR)
    refresh(db)
    return db


def new_time(db: Database) -> Any:
    return value(db.url, "select now()")


def erase(db: Database, **how: Any) -> erasure.Erasure:
    given = {"actor": ADMIN, "person_key": str(ANA), "reason": REASON}
    return erasure.erase(db, **{**given, **how})


def holding(url: str, tables: str) -> dict[str, list[str]]:
    """The tables or views that hold a value of Ana, and which."""
    found: dict[str, list[str]] = {}
    for (table,) in rows(url, tables):
        told = "\n".join(row for (row,) in rows(url, f"select t::text from {table} as t"))
        if values := [v for v in VALUES if v in told]:
            found[table] = values
    return found


def test_nothing_of_ours_holds_or_shows_a_value_of_who_was_erased(told: Database, db_url: str):
    before = holding(db_url, OURS)
    assert set(before) == {"scout.ledger_evidence_kept"}
    assert holding(db_url, SHOWN)
    done = erase(told)
    assert holding(db_url, OURS) == {}
    registry = "select to_jsonb(r) from canon.identity_registry as r where person_key = :key"
    (kept,) = rows(db_url, registry, key=ANA)[0]
    assert {n for n, v in kept.items() if n.startswith("primary") and v is not None} == set()
    assert done.counts["registry_rows"] == 1
    assert done.counts["ledger_rows"] == 1
    assert done.counts["kept_evidence"] >= 1
    assert done.counts["excerpts"] >= 1
    assert done.counts["held_rows"] == 1
    # rows without a link lead to nobody; the owner is told of them, and they are held
    shown = holding(db_url, SHOWN)
    assert set(shown) == {"ops.v_scout_attribution_raw"}
    raw = "select person_key from ops.v_scout_attribution_raw as r where r::text like :value"
    assert {row[0] for row in rows(db_url, raw, value=f"%{PHONE}%")} == {None}
    assert broken_at_all(told) == {}


@pytest.mark.parametrize("is_tracked", [True, False])
def test_person_known_by_scouting_alone_is_settled_without_their_values(
    db: Database, db_url: str, is_tracked: bool
):
    """Their canonical evidence is the owner's row, which still shows both."""
    with writing(db_url) as conn:
        crowd(conn)
        new.scouting_row(conn, scout=7, license=LICENSE, phone=PHONE)
        other = new.scouting_row(conn, scout=7, license="K7654321", phone="955444333")
    if not is_tracked:
        do(db_url, "drop trigger scout_note_registry_update on canon.identity_registry")
    refresh(db)
    shown = "select driver_phone from ops.v_scout_attribution order by 1"
    assert rows(db_url, shown) == [("955444333",), (PHONE,)]
    assert "scout.person_attribution" in holding(db_url, OURS)
    person = value(
        db_url,
        "select person_key from canon.identity_links where source_pk <> :pk",
        pk=str(other),
    )
    erase(db, person_key=str(person))
    assert holding(db_url, OURS) == {}
    assert rows(db_url, shown) == [("955444333",), (None,)]
    refresh(db)
    assert holding(db_url, OURS) == {}
    assert rows(db_url, shown) == [("955444333",), (None,)]
    if is_tracked:
        assert broken_at_all(db) == {}


def test_the_neighbour_keeps_everything(told: Database, db_url: str):
    of_beto = (
        "select to_jsonb(r), to_jsonb(l), to_jsonb(p) from canon.identity_registry as r"
        " join observational.lead_ledger as l using (person_key)"
        " join scout.person_attribution as p using (person_key) where r.person_key = :key"
    )
    before = rows(db_url, of_beto, key=BETO)
    assert "911222333" in str(before)
    erase(told)
    assert rows(db_url, of_beto, key=BETO) == before


def test_scout_decision_audit_and_seals_stay(told: Database, db_url: str):
    ledger = (
        "select attributed_scout_id, attribution_rule, attribution_score, updated_at,"
        " evidence_json -> 'scout_decision' is not null from observational.lead_ledger"
        " where person_key = :key"
    )
    audit = "select t::text from ops.lead_ledger_scout_backfill_audit as t where id <= :last"
    kept = {
        "ledger": rows(db_url, ledger, key=ANA),
        "decisions": rows(db_url, "select d::text from scout.decisions as d"),
        "seals": rows(db_url, "select s::text from scout.seals as s order by seal_no"),
    }
    last = value(db_url, "select max(id) from ops.lead_ledger_scout_backfill_audit")
    audited = rows(db_url, audit, last=last)
    done = erase(told)
    assert rows(db_url, ledger, key=ANA) == kept["ledger"]
    assert rows(db_url, "select d::text from scout.decisions as d") == kept["decisions"]
    sealed = rows(db_url, "select s::text from scout.seals as s order by seal_no")
    assert sealed[: len(kept["seals"])] == kept["seals"]
    assert len(sealed) == len(kept["seals"]) + 1
    assert rows(db_url, audit, last=last) == audited
    assert rows(
        db_url,
        "select person_key, old_attributed_scout_id, new_attributed_scout_id, backfill_method,"
        " ingestion_run_id, actor from ops.lead_ledger_scout_backfill_audit where id > :last",
        last=last,
    ) == [(ANA, 7, 7, "ERASURE", done.run_id, "root")]
    assert rows(
        db_url,
        "select kind, reason, actor from scout.runs where run_id = :run",
        run=done.run_id,
    ) == [("erase", REASON, "root")]
    (step,) = rows(
        db_url,
        "select details from ops.job_runs_audit where ingestion_run_id = :run and step = 'erase'",
        run=done.run_id,
    )
    assert step[0]["person_key"] == str(ANA)
    assert not any(v in json.dumps(step[0]) for v in VALUES)
    assert value(db_url, "select count(*) from scout.v_decisions_in_force") == 1


def test_refreshes_and_checks_bring_nothing_back(told: Database, db_url: str):
    erase(told)
    registered = value(db_url, "select count(*) from canon.identity_registry")
    for _ in range(2):
        refresh(told)
        source_checks.run_checks(told, settings(), new_time(told), actor=OPERATOR)
    # everything is judged and looked at anew
    do(
        db_url,
        "insert into scout.touched_keys default values",
        "insert into scout.rows_to_check (source_table, source_pk) values ('*', 'all')",
    )
    refresh(told)
    with writing(db_url) as conn:
        # the same person is written down once more: it leads to the same key, and registers nothing
        again = new.scouting_row(conn, scout=7, license=LICENSE, phone=PHONE, driver_name=NAME)
    refresh(told)
    assert rows(
        db_url, "select person_key from canon.identity_links where source_pk = :pk", pk=str(again)
    ) == [(ANA,)]
    assert holding(db_url, OURS) == {}
    assert value(db_url, "select count(*) from canon.identity_registry") == registered
    known = (
        "select count(*) from canon.identity_registry"
        " where primary_phone = :phone or primary_license = :license"
    )
    assert value(db_url, known, phone=PHONE, license=LICENSE) == 0
    assert broken_at_all(told) == {}


def test_rows_that_the_owner_has_to_delete_are_named_and_then_none_is(told: Database, db_url: str):
    done = erase(told)
    tables = {row.source_table for row in done.left}
    assert tables == {
        "canon.drivers_index",
        "canon.identity_links",
        "observational.lead_events",
        "public.drivers",
        "public.module_ct_scouting_daily",
    }
    assert done.note_run_ids
    named = {
        (row.source_table, row.source_pk)
        for row in done.left
        if row.source_table.startswith("public.module")
    }
    scouting = rows(
        db_url,
        "select 'public.module_ct_scouting_daily', id::text from public.module_ct_scouting_daily"
        " where driver_phone = :phone",
        phone=PHONE,
    )
    assert named == set(scouting)
    # what the owner then does
    do(
        db_url,
        f"delete from public.module_ct_scouting_daily where driver_phone = '{PHONE}'",
        "update canon.identity_links set evidence = null where source_pk = 'd-1'",
        "delete from canon.drivers_index where driver_id = 'd-1'",
        f"update observational.lead_events set payload_json = null where person_key = '{ANA}'",
    )
    refresh(told, force=True, reason="rows of a person were erased")
    left = erase(told)
    assert left.run_id is None
    # a table that is not read: whether it holds the driver, the owner knows
    assert [(row.source_table, row.source_pk) for row in left.left] == [("public.drivers", "d-1")]
    assert holding(db_url, SHOWN) == {}
    assert broken_at_all(told) == {}


def test_explanation_says_so_and_no_search_leads_there(told: Database):
    done = erase(told)
    with told.transaction(LOOK) as conn:
        state = persons.explain(conn, str(ANA)).state
        beto = persons.explain(conn, str(BETO)).state
    assert state["erased_run_id"] == done.run_id
    assert state["erased_at"] is not None
    assert beto["erased_at"] is None
    assert persons_of(told, PHONE) == persons_of(told, LICENSE) == persons_of(told, "quispe") == []
    assert persons_of(told, "911222333") == [str(BETO)]
    with asking(told) as ask:
        answer = ask.get(f"scouts/attribution/persons/{ANA}")
        assert answer.json()["state"]["erased_run_id"] == done.run_id
        assert not any(v in answer.text for v in VALUES)
    why = explained(told, ANA)
    assert "decided it" in why


def persons_of(db: Database, wanted: str) -> list[str]:
    from scout_core.attribution import person_search

    with db.transaction(LOOK) as conn:
        return [hit.person_key for hit in person_search.find(conn, wanted).hits]


def explained(db: Database, person: Any) -> str:
    with db.transaction(LOOK) as conn:
        return persons.explain(conn, str(person)).why


def test_plan_counts_what_the_run_then_does_and_writes_nothing(told: Database, db_url: str):
    with told.transaction(CHECK) as conn:
        plan = erasure.preview(conn, str(ANA))
    assert value(db_url, "select count(*) from scout.erased_persons") == 0
    assert not plan.is_done
    done = erase(told)
    assert done.counts == plan.counts
    assert set(done.left) == set(plan.left)
    assert [part for part, count in plan.counts.items() if not count] == ["unmatched_rows"]
    with told.transaction(CHECK) as conn:
        assert erasure.preview(conn, str(ANA)).is_done


def test_details_of_rows_that_somebody_filled_keep_only_keys(told: Database, db_url: str):
    row = value(
        db_url,
        "select source_pk from canon.identity_links where person_key = :key"
        " and source_table = 'module_ct_scouting_daily'",
        key=ANA,
    )
    do(
        db_url,
        "insert into canon.identity_unmatched (source_table, source_pk, snapshot_date,"
        " reason_code, details, candidates_preview, status) values"
        f" ('module_ct_scouting_daily', '{row}', now(), 'OLD', '{{\"phone\": \"{PHONE}\","
        f' "has_phone": true}}\', \'["{ANA}", {{"name": "{NAME}"}}]\', \'RESOLVED\')',
    )
    assert erase(told).counts["unmatched_rows"] == 1
    assert rows(
        db_url,
        "select details, candidates_preview from canon.identity_unmatched where source_pk = :pk",
        pk=row,
    ) == [({"has_phone": True}, [str(ANA)])]


def test_what_runs_wrote_before_is_told_as_erased_by_an_undo_and_a_reopening_still_works(
    told: Database, db_url: str
):
    first = value(
        db_url,
        "select ingestion_run_id from ops.lead_ledger_scout_backfill_audit"
        " where person_key = :key and backfill_method = 'MANUAL_DECISION'",
        key=ANA,
    )
    erased = erase(told)
    with pytest.raises(Refused, match="erased a person"):
        undo.run_undo(told, actor=ADMIN, run_id=erased.run_id or 0, reason=REASON)
    done = undo.run_undo(told, actor=ADMIN, run_id=first, reason=REASON)
    assert (done.undone, done.changed_later) == (0, 1)
    assert done.items[0].later_method == "ERASURE"
    with told.transaction(LOOK) as conn:
        seen = fingerprint.seen_of(conn, [str(ANA)])[str(ANA)]
    decisions.decide(
        told,
        actor=ADMIN,
        person_key=str(ANA),
        outcome="REOPEN",
        reason_code="OTHER",
        note=REASON,
        seen=seen,
    )
    assert scouts(db_url)[ANA] is None
    assert holding(db_url, OURS) == {}
    assert broken_at_all(told) == {}


def test_who_may_and_when(told: Database, db_url: str):
    for role in ("viewer", "analyst", "operator"):
        with pytest.raises(PermissionDenied):
            erase(told, actor=Actor("x", role))
    assert MAY["erase"] == {"admin"}
    with pytest.raises(BadInput):
        erase(told, reason="short")
    for nobody in ("nobody", str(key("nobody at all"))):
        with pytest.raises(NotFound):
            erase(told, person_key=nobody)
    with writing(db_url) as conn:
        assert try_lock(conn, "refresh")
        with pytest.raises(RunBusy, match="refresh is at work"):
            erase(told)
    assert value(db_url, "select count(*) from scout.erased_persons") == 0
    assert holding(db_url, OURS)
    first = erase(told, request_id="e-1")
    assert erase(told, request_id="e-1").run_id == first.run_id
    with pytest.raises(Refused, match="did not erase this person"):
        erase(told, request_id="e-1", person_key=str(BETO))
    assert value(db_url, "select count(*) from scout.erased_persons") == 1


def test_verb_looks_first_erases_and_says_what_is_left(
    told: Database, db_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("DATABASE_URL", db_url)
    assert cli.run(["erase", str(ANA)]) == 2
    capsys.readouterr()
    assert cli.run(["erase", str(ANA), "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert plan["counts"]["registry_rows"] == 1
    assert cli.run(["erase", str(ANA), "--reason", REASON]) == 0
    said = capsys.readouterr()
    assert "cannot be undone" in said.out
    assert "canon.drivers_index" in said.out
    assert not any(v in said.out + said.err for v in VALUES)
    assert cli.run(["explain", str(ANA)]) == 0
    assert "Erased at" in capsys.readouterr().out
    assert cli.run(["erase", str(ANA), "--reason", REASON, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["erasure"]["run_id"] is None
    assert cli.run(["erase", str(key("nobody at all")), "--reason", REASON]) == 1


def test_registry_without_document_and_name_is_erased_too(source_db: str):
    from tests.support.installing import init

    do(
        source_db,
        "alter table canon.identity_registry drop column primary_document,"
        " drop column primary_full_name",
    )
    init(source_db)
    with writing(source_db) as conn:
        ana = new.person(conn, phone=PHONE, license=LICENSE)
        other = new.person(conn, phone="911222333")
    database = Database(source_db)
    assert erase(database, person_key=str(ana)).counts["registry_rows"] == 1
    assert rows(
        source_db,
        "select person_key, primary_phone from canon.identity_registry order by 2 nulls first",
    ) == [(ana, None), (other, "911222333")]
    database.dispose()
