"""Tracking: what changes in a source is shown at once, and stays so when it is settled."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from scout_core.db.database import Database
from tests.support import factories as new
from tests.support.installing import as_login
from tests.support.job import do, key, value, writing
from tests.support.settling import Change, Scene, md5_key, people, scene

SCOUTING = "module_ct_scouting_daily"
MIGRATIONS = "module_ct_migrations"

pytestmark = pytest.mark.parametrize(
    "settles",
    [
        pytest.param(True, id="settled each time"),
        pytest.param(False, id="pending to the end", marks=pytest.mark.long),
    ],
)


@pytest.fixture
def stage(db: Database, db_url: str) -> Iterator[Scene]:
    with scene(db, db_url) as made:
        yield made
        assert made.stale() == {}
        made.settle(batch_rows=2)
        assert made.look("pending") == [(0,)]


def test_person_that_comes_changes_or_goes_is_shown_so(stage: Scene, settles: bool):
    new_key = f"'{key('fina')}'"
    old_key = f"'{key('ana')}'"
    stage.step(lambda c: new.payment(c, scout=7, person=key("fina")), moves="", settles=settles)
    stage.step(lambda c: new.person(c, key=key("fina")), moves="fina", settles=settles)
    stage.step(
        "update canon.identity_registry set created_at = '2020-01-01'"
        f" where person_key = {new_key}",
        moves="fina",
        settles=settles,
    )
    stage.step(
        "update canon.identity_registry set primary_license = 'ANA12345', updated_at = now()"
        f" where person_key = {old_key}",
        moves="",
        settles=settles,
    )
    stage.step(
        "update canon.identity_registry set person_key ="
        f" '{key('gina')}' where person_key = {new_key}",
        moves="fina gina",
        settles=settles,
    )
    stage.step(
        f"delete from canon.identity_registry where person_key = '{key('gina')}'",
        moves="gina",
        settles=settles,
    )
    stage.step(
        "truncate canon.identity_registry cascade", moves="ana beto carla dora eva", settles=settles
    )
    stage.step(lambda c: new.person(c, key=key("ana")), moves="ana", settles=settles)


def test_link_of_a_scouting_row_moves_it_between_persons(stage: Scene, settles: bool):
    """Under its id, else under its older key: a link that comes or goes moves two persons."""
    stage.step(
        stage.make("row", new.scouting_row, scout=7, license="Q1234567", phone="912345678"),
        moves="",
        settles=settles,
    )
    row = stage.ids["row"]
    of_row = f"where source_table = '{SCOUTING}' and source_pk = '{row}'"
    stage.step(
        lambda c: new.link(c, person=key("ana"), table=SCOUTING, pk=md5_key(c, row)),
        moves="ana",
        settles=settles,
    )
    stage.step(
        lambda c: new.link(c, person=key("beto"), table=SCOUTING, pk=row),
        moves="ana beto",
        settles=settles,
    )
    stage.step(
        f"update canon.identity_links set person_key = '{key('carla')}' {of_row}",
        moves="beto carla",
        settles=settles,
    )
    stage.step(
        f"update canon.identity_links set linked_at = linked_at - interval '3 days' {of_row}",
        moves="carla",
        settles=settles,
    )
    stage.step(
        f"update canon.identity_links set match_score = 1 {of_row}", moves="", settles=settles
    )
    stage.step(
        f"update canon.identity_links set source_pk = '{row + 1000}' {of_row}",
        moves="ana carla",
        settles=settles,
    )
    stage.step(
        f"update canon.identity_links set source_pk = '{row}' where source_pk = '{row + 1000}'",
        moves="ana carla",
        settles=settles,
    )
    stage.step(f"delete from canon.identity_links {of_row}", moves="ana carla", settles=settles)
    stage.step(
        f"delete from canon.identity_links where person_key = '{key('ana')}'",
        moves="ana",
        settles=settles,
    )
    stage.step(
        lambda c: new.link(c, person=key("dora"), table=SCOUTING, pk=row),
        "truncate canon.identity_links",
        moves="eva",
        settles=settles,
    )


def test_link_of_a_driver_gives_his_rows_to_a_person(stage: Scene, settles: bool):
    """A row's own link stands before the link of its driver."""
    stage.step(
        stage.make("row", new.migration, scout=7, driver="d1"),
        lambda c: new.payment(c, scout=8, driver="d1"),
        moves="",
        settles=settles,
    )
    stage.step(
        lambda c: new.link(c, person=key("ana"), table="drivers", pk="d1"),
        moves="ana",
        settles=settles,
    )
    stage.step(
        lambda c: new.link(c, person=key("beto"), table=MIGRATIONS, pk=stage.ids["row"]),
        moves="ana beto",
        settles=settles,
    )
    stage.step(
        "update canon.identity_links set source_pk = 'nobody' where source_pk = 'd1'",
        moves="ana",
        settles=settles,
    )
    stage.step(
        "update canon.identity_links set source_pk = 'd1' where source_pk = 'nobody'",
        moves="ana",
        settles=settles,
    )
    stage.step(
        f"delete from canon.identity_links where source_table = '{MIGRATIONS}'",
        moves="ana beto",
        settles=settles,
    )
    stage.step(
        "delete from canon.identity_links where source_pk = 'd1'", moves="ana", settles=settles
    )


def test_link_of_a_cabinet_lead_makes_a_lead_person(stage: Scene, settles: bool):
    stage.step(
        lambda c: new.link(c, person=key("ana"), table="module_ct_cabinet_leads", pk="1"),
        moves="ana",
        settles=settles,
    )
    stage.step(
        "delete from canon.identity_links where source_table = 'module_ct_cabinet_leads'",
        moves="ana",
        settles=settles,
    )


def test_ledger_row_that_comes_changes_or_goes_is_shown_so(stage: Scene, settles: bool):
    of_ana = f"where person_key = '{key('ana')}'"
    stage.step(lambda c: new.ledger(c, person=key("ana")), moves="ana", settles=settles)
    stage.step(
        f"update observational.lead_ledger set attributed_scout_id = 7 {of_ana}",
        moves="ana",
        settles=settles,
    )
    stage.step(
        f"update observational.lead_ledger set updated_at = '2026-03-01' {of_ana}",
        moves="ana",
        settles=settles,
    )
    stage.step(
        f"update observational.lead_ledger set evidence_json = '{{\"n\": 1}}' {of_ana}",
        moves="",
        settles=settles,
    )
    # evidence that came after the ledger got its scout
    stage.step(
        lambda c: new.lead_event(c, person=key("ana"), scout=9, created_at="2027-01-01"),
        moves="ana",
        settles=settles,
    )
    kind = "select conflict_kind from scout.v_persons_now where person_key = :ana"
    assert value(stage.url, kind, ana=key("ana")) == "CONTRADICTS_LEDGER"
    stage.step(
        f"update observational.lead_ledger set attributed_scout_id = 9 {of_ana}",
        moves="ana",
        settles=settles,
    )
    assert value(stage.url, kind, ana=key("ana")) is None
    stage.step(
        f"update observational.lead_ledger set person_key = '{key('beto')}' {of_ana}",
        moves="ana beto",
        settles=settles,
    )
    stage.step(
        f"delete from observational.lead_ledger where person_key = '{key('beto')}'",
        moves="beto",
        settles=settles,
    )
    stage.step(
        lambda c: new.ledger(c, person=key("dora"), scout=3),
        "truncate observational.lead_ledger",
        moves="eva",
        settles=settles,
    )


def test_event_that_comes_changes_or_goes_is_shown_so(stage: Scene, settles: bool):
    events = "update observational.lead_events set"
    stage.step(
        stage.make("event", new.lead_event, person=key("ana"), payload_text='{"scout_id": 12.0}'),
        moves="ana",
        settles=settles,
    )
    this = f"where id = {stage.ids['event']}"
    # the same json, and not the same scout
    stage.step(
        f"{events} payload_json = '{{\"scout_id\": 12}}' {this}", moves="ana", settles=settles
    )
    stage.step(f"{events} scout_id = 13 {this}", moves="ana", settles=settles)
    stage.step(f"{events} event_date = '2026-01-01' {this}", moves="ana", settles=settles)
    stage.step(f"{events} created_at = '2026-01-01' {this}", moves="ana", settles=settles)
    stage.step(f"{events} source_table = 'elsewhere' {this}", moves="ana", settles=settles)
    stage.step(f"{events} source_pk = 'renamed' {this}", moves="", settles=settles)
    stage.step(f"{events} person_key = '{key('beto')}' {this}", moves="ana beto", settles=settles)
    stage.step(f"{events} id = 900001 {this}", moves="beto", settles=settles)
    stage.step(f"{events} person_key = null where id = 900001", moves="beto", settles=settles)
    stage.step(
        f"{events} person_key = '{key('carla')}' where id = 900001", moves="carla", settles=settles
    )
    stage.step(
        "delete from observational.lead_events where id = 900001", moves="carla", settles=settles
    )
    stage.step(
        lambda c: new.lead_event(c, person=key("dora"), scout=3),
        "truncate observational.lead_events",
        moves="eva",
        settles=settles,
    )


def test_events_that_trade_places_in_one_statement_move_both_persons(stage: Scene, settles: bool):
    stage.step(
        stage.make("first", new.lead_event, person=key("ana"), scout=1),
        stage.make("second", new.lead_event, person=key("beto"), scout=2),
        moves="ana beto",
        settles=settles,
    )
    stage.step(
        "update observational.lead_events set id = -id, person_key = case id"
        f" when {stage.ids['first']} then '{key('beto')}'::uuid else '{key('ana')}'::uuid end"
        f" where id in ({stage.ids['first']}, {stage.ids['second']})",
        moves="ana beto",
        settles=settles,
    )


def test_migration_that_comes_changes_or_goes_is_shown_so(stage: Scene, settles: bool):
    def drivers(conn: Connection) -> None:
        new.link(conn, person=key("ana"), table="drivers", pk="d1")
        new.link(conn, person=key("beto"), table="drivers", pk="d2")
        new.link(conn, person=key("carla"), table=MIGRATIONS, pk=900)

    migrations = "update public.module_ct_migrations set"
    stage.step(drivers, moves="ana beto carla", settles=settles)
    stage.step(stage.make("row", new.migration, scout=7, driver="d1"), moves="ana", settles=settles)
    this = f"where id = {stage.ids['row']}"
    stage.step(f"{migrations} driver_id = 'd2' {this}", moves="ana beto", settles=settles)
    stage.step(f"{migrations} scout_id = 8 {this}", moves="beto", settles=settles)
    stage.step(f"{migrations} hire_date = '2026-01-01' {this}", moves="beto", settles=settles)
    stage.step(f"{migrations} id = 900 {this}", moves="beto carla", settles=settles)
    stage.step(f"{migrations} driver_id = 'd1' where id = 900", moves="carla", settles=settles)
    stage.step(f"{migrations} id = 901 where id = 900", moves="ana carla", settles=settles)
    stage.step(f"{migrations} driver_id = null where id = 901", moves="ana", settles=settles)
    stage.step(f"{migrations} driver_id = 'd2' where id = 901", moves="beto", settles=settles)
    stage.step(
        "delete from public.module_ct_migrations where id = 901", moves="beto", settles=settles
    )
    stage.step(
        lambda c: new.migration(c, scout=7, driver="d1"),
        "truncate public.module_ct_migrations",
        moves="eva",
        settles=settles,
    )


def test_scouting_row_that_comes_changes_or_goes_is_shown_so(stage: Scene, settles: bool):
    """The older key is of the row's own values: with one of them it loses its link, and gets it
    back."""
    parts: dict[str, Any] = {"scout": 7, "license": "Q1234567", "phone": "912345678"}

    def link_older(conn: Connection) -> None:
        row = new.scouting_row(conn, **parts)
        new.link(conn, person=key("ana"), table=SCOUTING, pk=md5_key(conn, row))

    rows = "update public.module_ct_scouting_daily set"
    stage.step(
        link_older,
        "delete from public.module_ct_scouting_daily where scout_id = 7",
        moves="ana",
        settles=settles,
    )
    stage.step(stage.make("row", new.scouting_row, **parts), moves="ana", settles=settles)
    this = f"where id = {stage.ids['row']}"
    stage.step(f"{rows} acquisition_method = 'street' {this}", moves="ana", settles=settles)
    for column, other, before in (
        ("scout_id", "8", "7"),
        ("driver_phone", "'987654320'", "'912345678'"),
        ("driver_license", "'Z7654321'", "'Q1234567'"),
        ("registration_date", "'2026-01-01'", "'2026-03-02'"),
    ):
        stage.step(f"{rows} {column} = {other} {this}", moves="ana", settles=settles)
        stage.step(f"{rows} {column} = {before} {this}", moves="ana", settles=settles)
    stage.step(
        lambda c: new.link(c, person=key("beto"), table=SCOUTING, pk=901),
        moves="beto",
        settles=settles,
    )
    stage.step(f"{rows} id = 901 {this}", moves="ana beto", settles=settles)
    stage.step(f"{rows} scout_id = 9 where id = 901", moves="beto", settles=settles)
    stage.step(f"{rows} scout_id = 7, id = 902 where id = 901", moves="ana beto", settles=settles)
    stage.step(
        "delete from public.module_ct_scouting_daily where id = 902", moves="ana", settles=settles
    )
    stage.step(
        stage.make("row", new.scouting_row, **parts),
        "truncate public.module_ct_scouting_daily",
        moves="eva",
        settles=settles,
    )


def test_scouting_row_without_a_link_is_listed_until_it_goes(stage: Scene, settles: bool):
    left = "select source_pk from scout.v_unlinked_rows order by 1"

    def listed() -> list[object]:
        with writing(stage.url) as conn:
            return list(conn.execute(text(left)).scalars())

    stage.step(
        stage.make("row", new.scouting_row, scout=7, license="Q1234567"),
        stage.make("silent", new.scouting_row, license="Q7777777"),
        settles=settles,
    )
    row, silent = str(stage.ids["row"]), str(stage.ids["silent"])
    assert listed() == [row]
    rows = "update public.module_ct_scouting_daily set"
    stage.step(f"{rows} scout_id = 8 where id = {silent}", settles=settles)
    assert listed() == sorted([row, silent])
    stage.step(f"{rows} scout_id = null where id = {row}", settles=settles)
    assert listed() == [silent]
    stage.step(
        lambda c: new.link(c, person=key("ana"), table=SCOUTING, pk=md5_key(c, int(silent))),
        moves="ana",
        settles=settles,
    )
    assert listed() == []
    stage.step(
        f"delete from canon.identity_links where person_key = '{key('ana')}'",
        moves="ana",
        settles=settles,
    )
    assert listed() == [silent]
    stage.step(f"delete from public.module_ct_scouting_daily where id = {silent}", settles=settles)
    assert listed() == []
    stage.step(
        f"{rows} scout_id = 8 where id = {row}",
        "truncate public.module_ct_scouting_daily",
        moves="eva",
        settles=settles,
    )
    assert listed() == []


def test_payment_that_comes_changes_or_goes_is_shown_so(stage: Scene, settles: bool):
    payments = "update public.module_ct_cabinet_payments set"
    stage.step(
        lambda c: new.link(c, person=key("ana"), table="drivers", pk="d1"),
        lambda c: new.link(c, person=key("beto"), table="drivers", pk="d2"),
        moves="ana beto",
        settles=settles,
    )
    stage.step(stage.make("row", new.payment, scout=7, driver="d1"), moves="ana", settles=settles)
    this = f"where id = {stage.ids['row']}"
    stage.step(
        f"{payments} person_key = '{key('carla')}' {this}", moves="ana carla", settles=settles
    )
    stage.step(f"{payments} driver_id = 'd2' {this}", moves="carla", settles=settles)
    stage.step(f"{payments} scout_id = 8 {this}", moves="carla", settles=settles)
    stage.step(f"{payments} person_key = null {this}", moves="beto carla", settles=settles)
    stage.step(f"{payments} driver_id = 'd1' {this}", moves="ana beto", settles=settles)
    stage.step(f"{payments} date = '2026-01-01' {this}", moves="ana", settles=settles)
    stage.step(f"{payments} id = 901 {this}", moves="ana", settles=settles)
    stage.step(f"{payments} driver_id = null where id = 901", moves="ana", settles=settles)
    stage.step(
        f"{payments} person_key = '{key('nobody')}' where id = 901", moves="", settles=settles
    )
    stage.step(
        f"{payments} person_key = '{key('dora')}' where id = 901", moves="dora", settles=settles
    )
    stage.step(
        "delete from public.module_ct_cabinet_payments where id = 901",
        moves="dora",
        settles=settles,
    )
    stage.step(
        lambda c: new.payment(c, scout=7, driver="d1"),
        "truncate public.module_ct_cabinet_payments",
        moves="eva",
        settles=settles,
    )


def test_list_of_scouts_changes_reasons_at_once(stage: Scene, settles: bool):
    def reasons() -> tuple[object, object]:
        found = dict(stage.look("reasons"))
        return found[key("ana")], found[key("beto")]

    waits, unknown = "WAITING_FOR_NEXT_RUN", "UNKNOWN_SCOUT"
    scouts = "public.module_ct_scouts_list"
    stage.step(
        lambda c: new.lead_event(c, person=key("ana"), scout=7),
        lambda c: new.lead_event(c, person=key("beto"), scout=8),
        moves="ana beto",
        settles=settles,
    )
    assert reasons() == (waits, waits)
    changes: list[tuple[Change, tuple[str, str]]] = [
        (lambda c: new.scout_listed(c, 7), (waits, unknown)),
        (f"update {scouts} set scout_id = 8", (unknown, waits)),
        (lambda c: new.scout_listed(c, 7), (waits, waits)),
        (f"delete from {scouts} where scout_id = 8", (waits, unknown)),
        (f"truncate {scouts}", (waits, waits)),
    ]
    to_check = "select count(*) from scout.rows_to_check where source_table = '*'"
    for change, outcome in changes:
        noted = value(stage.url, to_check)
        stage.step(change, settles=settles)
        assert reasons() == outcome
        counted = "select sum(person_count) from scout.v_backlog_totals where reason_code = :code"
        assert (value(stage.url, counted, code=unknown) or 0) == outcome.count(unknown)
        assert value(stage.url, to_check) == noted + 1


def test_hold_of_a_person_is_shown_until_it_is_released(stage: Scene, settles: bool):
    held = (
        "insert into scout.holds (subject, person_key, reason, actor)"
        f" values ('person', '{key('ana')}', 'undone', 'olga')"
    )
    stage.step(
        lambda c: new.lead_event(c, person=key("ana"), scout=7),
        lambda c: new.lead_event(c, person=key("beto"), scout=7),
        moves="ana beto",
        settles=settles,
    )
    stage.step(held, moves="ana", settles=settles)
    assert dict(stage.look("reasons"))[key("ana")] == "HELD_AFTER_UNDO"
    stage.step(
        f"update scout.holds set person_key = '{key('beto')}'", moves="ana beto", settles=settles
    )
    stage.step("update scout.holds set released_at = now()", moves="beto", settles=settles)
    stage.step(held, moves="ana", settles=settles)
    stage.step("delete from scout.holds", moves="ana", settles=settles)


def test_decision_is_shown_until_it_ends(stage: Scene, settles: bool):
    def decided(outcome: str) -> str:
        return (
            "insert into scout.decisions (person_key, outcome, considered_scout_ids, reason_code,"
            f" note, actor) values ('{key('ana')}', '{outcome}', '{{7,8}}', 'OTHER',"
            " 'nobody brought this person', 'olga')"
        )

    def now() -> tuple[object, ...]:
        with writing(stage.url) as conn:
            query = text(
                "select reason_code, conflict_kind from scout.v_persons_now where person_key = :ana"
            )
            return tuple(conn.execute(query, {"ana": key("ana")}).one())

    stage.step(
        lambda c: new.lead_event(c, person=key("ana"), scout=7),
        lambda c: new.lead_event(c, person=key("ana"), scout=8),
        moves="ana",
        settles=settles,
    )
    assert now() == ("SEVERAL_SCOUTS", "SEVERAL_SCOUTS")
    stage.step(decided("NO_SCOUT"), moves="ana", settles=settles)
    assert now() == ("DECIDED_NO_SCOUT", None)
    stage.step(
        lambda c: new.lead_event(c, person=key("ana"), scout=9), moves="ana", settles=settles
    )
    assert now() == ("DECIDED_NO_SCOUT", "NEW_EVIDENCE")
    stage.step(decided("REOPEN"), moves="ana", settles=settles)
    assert now() == ("SEVERAL_SCOUTS", "SEVERAL_SCOUTS")
    stage.step(decided("NO_SCOUT"), moves="ana", settles=settles)
    # set by hand: the decision ends
    stage.step(lambda c: new.ledger(c, person=key("ana"), scout=7), moves="ana", settles=settles)
    assert now()[0] is None
    stage.step(
        f"delete from observational.lead_ledger where person_key = '{key('ana')}'",
        moves="ana",
        settles=settles,
    )
    # and the ledger says again what was decided
    assert now() == ("DECIDED_NO_SCOUT", "NEW_EVIDENCE")


def test_transaction_that_is_rolled_back_moves_nobody(stage: Scene, settles: bool):
    before = stage.shown()
    with writing(stage.url) as conn:
        new.lead_event(conn, person=key("ana"), scout=7)
        with conn.begin_nested() as savepoint:
            new.lead_event(conn, person=key("beto"), scout=7)
            savepoint.rollback()
        conn.execute(text("truncate observational.lead_ledger"))
        conn.rollback()
    assert stage.shown() == before
    assert stage.look("pending") == [(0,)]
    stage.step(
        lambda c: new.lead_event(c, person=key("ana"), scout=7), moves="ana", settles=settles
    )


def test_login_without_a_right_on_our_schema_writes_every_source(
    db: Database, db_url: str, settles: bool
):
    """The owner's ingest never fails for us, and what it writes is noted."""
    login = f"test_ingest_{os.getpid()}"
    tables = (
        "canon.identity_registry",
        "canon.identity_links",
        "canon.identity_unmatched",
        "canon.drivers_index",
        "observational.lead_events",
        "observational.lead_ledger",
        "public.module_ct_scouting_daily",
        "public.module_ct_migrations",
        "public.module_ct_cabinet_payments",
        "public.module_ct_cabinet_leads",
        "public.module_ct_scouts_list",
        "observational.scouting_match_candidates",
    )
    with scene(db, db_url) as stage:
        do(
            db_url,
            f"drop role if exists {login}",
            f"create role {login} login password '{login}'",
            f"grant usage on schema canon, observational, public to {login}",
            f"grant all on {', '.join(tables)} to {login}",
            f"grant usage on all sequences in schema canon, observational, public to {login}",
        )
        try:
            ingest = as_login(db_url, login)
            with writing(ingest) as conn:
                held = conn.execute(text("select has_schema_privilege('scout', 'usage')"))
                assert not held.scalar_one()
                new.person(conn, key=key("fina"), license="FINA12345")
                new.lead_event(conn, person=key("fina"), scout=7)
                new.ledger(conn, person=key("fina"))
                new.driver(conn, key="f1", license="FINA12345", person=key("fina"))
                new.migration(conn, scout=7, driver="f1")
                new.payment(conn, scout=7, driver="f1")
                new.scouting_row(conn, scout=7, license="FINA12345", phone="912345678")
                new.cabinet_lead(conn)
                new.scout_listed(conn, 7)
                conn.execute(
                    text(
                        "insert into canon.identity_unmatched (source_table, source_pk,"
                        f" snapshot_date, reason_code) values ('{SCOUTING}', '1', now(), 'X')"
                    )
                )
            assert stage.stale() == {}
            assert key("fina") in stage.shown()
            if settles:
                stage.settle()
            with writing(ingest) as conn:
                for table in tables:
                    column = "created_at" if "ledger" not in table else "updated_at"
                    column = "linked_at" if "links" in table else column
                    conn.execute(text(f"update {table} set {column} = '2026-01-01'"))
            assert stage.stale() == {}
            if settles:
                stage.settle()
            with writing(ingest) as conn:
                for table in reversed(tables):
                    conn.execute(text(f"delete from {table}"))
            assert stage.shown() == {}
            assert stage.stale() == {}
            with writing(db_url) as conn:
                people(conn)
            if settles:
                stage.settle()
            do(ingest, f"truncate {', '.join(tables)}")
            assert stage.shown() == {}
            assert stage.stale() == {}
        finally:
            do(db_url, f"drop owned by {login}", f"drop role {login}")
