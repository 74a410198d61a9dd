"""How old evidence is: a source that is loaded again makes nothing newer."""

from datetime import UTC, datetime

import pytest

from scout_core.attribution import settle
from scout_core.db.database import Database
from tests.support import factories as new
from tests.support.installing import init
from tests.support.job import broken, do, key, refresh, rows, value, writing

LEDGER_AT = datetime(2025, 6, 1, tzinfo=UTC)
OLD = datetime(2025, 3, 1, tzinfo=UTC)
LATE = datetime(2025, 9, 1, tzinfo=UTC)
CONFLICTS = "select person_key from ops.v_scout_attribution_conflicts"
SCOUTING = "public.module_ct_scouting_daily"
SOURCES = {
    SCOUTING: "scout_id, driver_phone, driver_license, registration_date",
    "public.module_ct_migrations": "driver_id, scout_id, hire_date",
    "public.module_ct_cabinet_payments": "scout_id, date, driver_id, person_key",
    "observational.lead_events": "source_table, source_pk, event_date, person_key, scout_id",
}


def people(url: str, at: datetime = OLD) -> None:
    """Four persons whose ledger has 21, each with evidence of another source for another scout."""
    with writing(url) as conn:
        for number, name in enumerate(("ana", "beto", "carla", "dora")):
            new.person(conn, key=key(name), license=f"Q7000000{number}")
            new.ledger(conn, person=key(name), scout=21, at=LEDGER_AT)
        row = new.scouting_row(conn, scout=5, license="Q70000000", created_at=at)
        new.link(conn, person=key("ana"), table="module_ct_scouting_daily", pk=row)
        new.driver(conn, key="d1", person=key("beto"))
        new.migration(conn, scout=5, driver="d1", created_at=at)
        new.payment(conn, scout=5, person=key("carla"), created_at=at)
        new.lead_event(conn, scout=5, person=key("dora"), source_pk="e1", created_at=at)


def reload(url: str, source: str, *, in_two: bool, new_numbers: bool) -> None:
    """Empty a source and load it again; created_at is left to its default."""
    names = SOURCES[source] if new_numbers else f"id, {SOURCES[source]}"
    keep = f"create table public.keep as select * from {source}; truncate {source}"
    links = "update canon.identity_links set source_pk = (select id::text from public.shift)"
    back = f"insert into {source} ({names}) select {names} from public.keep"
    if new_numbers and source == SCOUTING:
        back += (
            f"; create table public.shift as select id from {source}; {links}"
            " where source_table = 'module_ct_scouting_daily'; drop table public.shift"
        )
    if in_two:
        do(url, keep)
        do(url, back)
    else:
        do(url, keep, back)
    do(url, "drop table public.keep")


@pytest.mark.parametrize("new_numbers", [False, True])
@pytest.mark.parametrize("in_two", [False, True])
def test_evidence_that_is_loaded_again_is_as_old_as_it_was(
    db: Database, db_url: str, in_two: bool, new_numbers: bool
) -> None:
    people(db_url)
    settle.settle(db)
    assert rows(db_url, CONFLICTS) == []
    for source in SOURCES:
        reload(db_url, source, in_two=in_two, new_numbers=new_numbers)
        assert rows(db_url, CONFLICTS) == []
        settle.settle(db)
        assert rows(db_url, CONFLICTS) == []
    assert broken(db) == {}


def test_what_is_really_new_is_a_conflict_and_stays_one(db: Database, db_url: str) -> None:
    people(db_url, at=LATE)
    assert len(rows(db_url, CONFLICTS)) == 4
    settle.settle(db)
    for source in SOURCES:
        reload(db_url, source, in_two=True, new_numbers=False)
    assert len(rows(db_url, CONFLICTS)) == 4
    assert broken(db) == {}


def test_another_scout_in_the_same_row_is_new(db: Database, db_url: str) -> None:
    people(db_url)
    settle.settle(db)
    do(db_url, "update public.module_ct_cabinet_payments set scout_id = 6, created_at = now()")
    assert rows(db_url, CONFLICTS) == [(key("carla"),)]
    settle.settle(db)
    assert rows(db_url, CONFLICTS) == [(key("carla"),)]
    assert broken(db) == {}


def test_a_second_row_that_says_the_same_is_not_newer(db: Database, db_url: str) -> None:
    people(db_url)
    source = "public.module_ct_cabinet_payments"
    names = "scout_id, date, person_key"
    do(db_url, f"insert into {source} ({names}) select {names} from {source}")
    assert rows(db_url, CONFLICTS) == []
    settle.settle(db)
    assert broken(db) == {}


def test_without_created_at_it_is_as_old_as_the_first_look(source_db: str) -> None:
    """What was there at first is older than everything, what comes later is new."""
    people(source_db)
    do(source_db, "update public.module_ct_migrations set created_at = null")
    init(source_db)
    db = Database(source_db)
    try:
        assert rows(source_db, CONFLICTS) == []
        reload(source_db, "public.module_ct_migrations", in_two=False, new_numbers=True)
        assert rows(source_db, CONFLICTS) == []
        with writing(source_db) as conn:
            new.payment(conn, scout=5, person=key("dora"), created_at=None)
        assert rows(source_db, CONFLICTS) == [(key("dora"),)]
        settle.settle(db)
        assert rows(source_db, CONFLICTS) == [(key("dora"),)]
        do(source_db, "update observational.lead_ledger set attributed_scout_id = 22")
        assert rows(source_db, CONFLICTS) == []
        refresh(db)
        assert broken(db) == {}
    finally:
        db.dispose()


@pytest.mark.parametrize("missing", ["source_table", "source_pk", "source_table, source_pk"])
def test_an_event_that_does_not_say_where_it_comes_from_is_settled(
    db: Database, db_url: str, missing: str
) -> None:
    people(db_url)
    settle.settle(db)
    events = "observational.lead_events"
    columns = missing.split(", ")
    do(db_url, *(f"alter table {events} alter {column} drop not null" for column in columns))
    with writing(db_url) as conn:
        new.lead_event(conn, scout=6, person=key("beto"), source_pk="e2", created_at=LATE)
        conn.exec_driver_sql(
            f"update {events} set {', '.join(f'{column} = null' for column in columns)}"
            " where source_pk = 'e2'"
        )
    assert rows(db_url, CONFLICTS) == [(key("beto"),)]
    settle.settle(db)
    assert rows(db_url, CONFLICTS) == [(key("beto"),)]
    reload(db_url, events, in_two=False, new_numbers=True)
    assert rows(db_url, CONFLICTS) == [(key("beto"),)]
    refresh(db)
    assert broken(db) == {}


def test_without_created_at_it_is_as_old_as_the_first_look_whoever_has_no_scout_yet(
    db: Database, db_url: str
) -> None:
    do(db_url, "update scout.state set is_evidence_seen = true")
    with writing(db_url) as conn:
        for name in ("ana", "beto"):
            new.person(conn, key=key(name))
            new.payment(conn, scout=5, person=key(name), created_at=None)
        new.ledger(conn, person=key("beto"), scout=5)
    settle.settle(db)
    assert value(db_url, "select count(*) from scout.evidence_seen") == 2
    with writing(db_url) as conn:
        new.ledger(conn, person=key("ana"), scout=21, at=datetime.now(UTC))
        conn.exec_driver_sql(
            "update observational.lead_ledger set attributed_scout_id = 22, updated_at = now()"
            f" where person_key = '{key('beto')}'"
        )
    assert rows(db_url, CONFLICTS) == []
    settle.settle(db)
    assert rows(db_url, CONFLICTS) == []
    with writing(db_url) as conn:
        new.payment(conn, scout=6, person=key("beto"), created_at=None)
    assert rows(db_url, CONFLICTS) == [(key("beto"),)]
    assert broken(db) == {}


def test_what_agrees_with_the_ledger_is_not_written_down(db: Database, db_url: str) -> None:
    with writing(db_url) as conn:
        ana = new.person(conn)
        new.ledger(conn, person=ana, scout=5)
        new.lead_event(conn, person=ana, scout=5)
    settle.settle(db)
    assert value(db_url, "select count(*) from scout.evidence_seen") == 0


def test_nothing_of_a_person_can_be_read_there(db: Database, db_url: str) -> None:
    people(db_url)
    settle.settle(db)
    columns = rows(
        db_url,
        "select attname::text from pg_attribute where attrelid = 'scout.evidence_seen'::regclass"
        " and attnum > 0 order by attnum",
    )
    assert columns == [("piece",), ("seen_at",)]
    assert value(db_url, "select count(*) from scout.evidence_seen") == 4
