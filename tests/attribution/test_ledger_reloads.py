"""The ledger as its owner loads it anew: what has not changed is no change, and what has is one."""

import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from scout_core.attribution import settle
from scout_core.db.database import Database
from scout_core.decide import undo
from tests.support import factories as new
from tests.support.installing import init
from tests.support.job import (
    OPERATOR,
    broken,
    decide,
    do,
    key,
    refresh,
    rows,
    scouts,
    story,
    value,
    writing,
)

LEDGER = "observational.lead_ledger"
KEEP = f"create temp table keep on commit drop as select * from {LEDGER}"
BACK = f"insert into {LEDGER} select * from keep"
SELF = (
    f"update {LEDGER} set attributed_scout_id = attributed_scout_id, updated_at = updated_at,"
    " attribution_rule = attribution_rule"
)
EXTERNAL = (
    "select person_key, old_attributed_scout_id, new_attributed_scout_id, is_new_row"
    " from ops.lead_ledger_scout_backfill_audit where backfill_method = 'EXTERNAL_CHANGE'"
    " order by id"
)
THEN = datetime(2025, 6, 1, tzinfo=UTC)
RELOADS = {
    "truncate and insert": [KEEP, f"truncate {LEDGER}", BACK],
    "delete and insert": [KEEP, f"delete from {LEDGER}", BACK],
    "one by one": [
        KEEP,
        f"do $$ declare r {LEDGER}%rowtype; begin for r in select * from {LEDGER} loop"
        f" delete from {LEDGER} where person_key = r.person_key;"
        f" insert into {LEDGER} select r.*; end loop; end $$",
    ],
    "every row to itself": [SELF],
    "upsert": [
        KEEP,
        f"{BACK} on conflict (person_key) do update"
        " set attributed_scout_id = excluded.attributed_scout_id",
    ],
    "all to nobody and back": [
        KEEP,
        f"update {LEDGER} set attributed_scout_id = null",
        f"update {LEDGER} as l set attributed_scout_id = k.attributed_scout_id from keep as k"
        " where k.person_key = l.person_key",
    ],
    "a savepoint that is rolled back": [
        f"savepoint s; update {LEDGER} set attributed_scout_id = 99; delete from {LEDGER};"
        " rollback to s",
        SELF,
    ],
    "constraints set to immediate before": [
        "set constraints all immediate",
        KEEP,
        f"delete from {LEDGER}",
        BACK,
    ],
}


def take_back(db: Database, run_id: int) -> int:
    result = undo.run_undo(db, actor=OPERATOR, run_id=run_id, reason="the wrong file, as it seems")
    return result.undone


def copy_back(url: str) -> None:
    """As a loader does: empty the table, then COPY the rows in, in one transaction."""
    with writing(url) as conn:
        cursor = conn.connection.cursor()
        names = "person_key, attributed_source, attributed_scout_id, attribution_rule,"
        names += " attribution_score, confidence_level, evidence_json, decision_status, updated_at"
        kept = io.StringIO()
        cursor.copy_expert(f"copy {LEDGER} ({names}) to stdout", kept)
        cursor.execute(f"truncate {LEDGER}")
        kept.seek(0)
        cursor.copy_expert(f"copy {LEDGER} ({names}) from stdin", kept)


@pytest.mark.parametrize("way", [*RELOADS, "copy"])
def test_a_reload_in_one_transaction_changes_nothing(db: Database, db_url: str, way: str) -> None:
    story(db_url)
    refresh(db)
    decide(db, "carla", 9)
    run_id = value(db_url, "select max(id) from ops.ingestion_runs")
    before = scouts(db_url)
    noted = rows(db_url, EXTERNAL)
    if way == "copy":
        copy_back(db_url)
    else:
        do(db_url, *RELOADS[way])
    assert rows(db_url, EXTERNAL) == noted
    assert scouts(db_url) == before
    assert value(db_url, "select count(*) from scout.v_decisions_in_force") == 1
    refresh(db)
    assert broken(db) == {}
    assert take_back(db, run_id) == 1
    assert scouts(db_url).get(key("carla")) is None
    assert broken(db) == {}


RESTAMPS = {
    "truncate and insert": [
        KEEP,
        f"truncate {LEDGER}",
        f"alter table keep drop column updated_at; insert into {LEDGER} (person_key,"
        " attributed_source, attributed_scout_id, attribution_rule, attribution_score,"
        " confidence_level, evidence_json, decision_status) select * from keep",
    ],
    "upsert": [
        KEEP,
        f"{BACK} on conflict (person_key) do update"
        " set attributed_scout_id = excluded.attributed_scout_id, updated_at = now()",
    ],
}


@pytest.mark.parametrize("way", RESTAMPS)
def test_a_reload_that_dates_the_rows_anew_closes_no_conflict(source_db: str, way: str) -> None:
    with writing(source_db) as conn:
        for name, scout in (("ana", 5), ("beto", 6), ("carla", 7)):
            new.person(conn, key=key(name))
            new.ledger(conn, person=key(name), scout=scout, at=THEN)
        new.lead_event(
            conn, person=key("ana"), scout=7, created_at=datetime(2025, 7, 1, tzinfo=UTC)
        )
        new.lead_event(
            conn, person=key("beto"), scout=7, created_at=datetime(2025, 5, 1, tzinfo=UTC)
        )
    init(source_db)
    db = Database(source_db)
    try:
        refresh(db)
        conflicts = "select person_key from ops.v_scout_attribution_conflicts"
        assert rows(source_db, conflicts) == [(key("ana"),)]
        for _ in range(2):
            do(source_db, *RESTAMPS[way])
            assert rows(source_db, conflicts) == [(key("ana"),)]
            refresh(db)
            assert rows(source_db, conflicts) == [(key("ana"),)]
        assert rows(source_db, EXTERNAL) == []
        do(source_db, f"update {LEDGER} set attributed_scout_id = 8, updated_at = now()")
        assert rows(source_db, conflicts) == []
        refresh(db)
        assert rows(source_db, conflicts) == []
        assert broken(db) == {}
    finally:
        db.dispose()


def test_nothing_is_left_of_the_notes(db: Database, db_url: str) -> None:
    story(db_url)
    refresh(db)
    do(db_url, *RELOADS["delete and insert"])
    do(db_url, f"update {LEDGER} set attributed_scout_id = 3")
    for table in ("ledger_notes", "link_notes", "open_changes", "missed_changes"):
        assert rows(db_url, f"select * from scout.{table}") == []


def test_of_a_reload_the_one_scout_that_differs_is_one_change(db: Database, db_url: str) -> None:
    story(db_url)
    refresh(db)
    noted = rows(db_url, EXTERNAL)
    ana = f"where person_key = '{key('ana')}'"
    do(
        db_url,
        KEEP,
        f"update {LEDGER} set attributed_scout_id = 4 {ana}",
        f"truncate {LEDGER}",
        f"update keep set attributed_scout_id = 9 {ana}",
        BACK,
    )
    assert rows(db_url, EXTERNAL)[len(noted) :] == [(key("ana"), 7, 9, True)]
    kept = rows(
        db_url,
        "select k.evidence ->> 'kept' from scout.ledger_evidence_kept as k"
        " inner join ops.lead_ledger_scout_backfill_audit as a on a.id = k.audit_id"
        " where a.backfill_method = 'EXTERNAL_CHANGE' and a.old_attributed_scout_id = 7",
    )
    assert kept == [("1",)]
    assert broken(db) == {}


def test_a_row_that_comes_and_goes_in_one_transaction_never_was(db: Database, db_url: str) -> None:
    story(db_url)
    eva = key("eva")
    with writing(db_url) as conn:
        new.ledger(conn, person=eva, scout=3)
        conn.execute(text(f"delete from {LEDGER} where person_key = :p"), {"p": eva})
    assert eva not in {row[0] for row in rows(db_url, EXTERNAL)}
    with writing(db_url) as conn:
        new.ledger(conn, person=eva)
        conn.execute(
            text(f"update {LEDGER} set attributed_scout_id = 3 where person_key = :p"), {"p": eva}
        )
    assert (eva, None, 3, True) in rows(db_url, EXTERNAL)


def test_two_transactions_take_away_and_bring_back(db: Database, db_url: str) -> None:
    """What is in between is audited, and over when the rows are back: decision, dates, undo."""
    story(db_url)
    run_id = refresh(db).run_id
    decide(db, "carla", 9)
    do(db_url, f"create table public.keep as select * from {LEDGER}; truncate {LEDGER}")
    assert value(db_url, "select count(*) from scout.v_decisions_in_force") == 0
    do(db_url, f"insert into {LEDGER} select * from public.keep")
    assert value(db_url, "select count(*) from scout.v_decisions_in_force") == 1
    assert broken(db) == {}
    with writing(db_url) as conn:
        # older than the reload, and newer than what our run had seen
        new.payment(conn, person=key("beto"), scout=5, created_at="2020-01-01")
    conflict = "select conflict_kind from scout.v_person_attribution where person_key = :p"
    assert value(db_url, conflict, p=key("beto")) == "CONTRADICTS_LEDGER"
    undone = undo.run_undo(db, actor=OPERATOR, run_id=run_id, reason="the wrong file of Monday")
    assert undone.changed_later == 0
    assert key("beto") not in scouts(db_url)
    assert broken(db) == {}


def test_a_decision_is_over_while_the_ledger_says_something_else(db: Database, db_url: str) -> None:
    story(db_url)
    refresh(db)
    decide(db, "carla", 9)
    carla = f"where person_key = '{key('carla')}'"
    in_force = "select count(*) from scout.v_decisions_in_force"
    do(db_url, f"update {LEDGER} set attributed_scout_id = 7 {carla}")
    assert value(db_url, in_force) == 0
    do(db_url, f"update {LEDGER} set attributed_scout_id = 9 {carla}")
    assert value(db_url, in_force) == 1
    assert broken(db) == {}


@pytest.mark.parametrize(
    ("change", "is_conflict"),
    [
        # a row that is loaded anew brings its date, in one transaction or two
        (["truncate {l}"], True),
        ([], True),
        # a scout that changes: its date where it has a new one, the moment where it has not
        (["update {l} set attributed_scout_id = 6, updated_at = '2025-06-02'"], True),
        (["update {l} set attributed_scout_id = 6, updated_at = '2026-01-03'"], False),
        (["update {l} set attributed_scout_id = 6"], False),
        # it got it when it was written, not in a year that is to come
        (["update {l} set attributed_scout_id = 6, updated_at = '2199-01-01'"], False),
        (["update {l} set attributed_scout_id = 6, updated_at = 'infinity'"], False),
    ],
)
def test_when_the_ledger_got_its_scout(
    db: Database, db_url: str, change: list[str], is_conflict: bool
) -> None:
    with writing(db_url) as conn:
        ana = new.person(conn)
        conn.exec_driver_sql("set local session_replication_role = replica")
        new.ledger(conn, person=ana, scout=5, at=THEN)
    do(db_url, f"create table public.keep as select * from {LEDGER}")
    for statement in change:
        do(db_url, statement.format(l=LEDGER))
    if not change or change == ["truncate {l}"]:
        do(db_url, f"truncate {LEDGER}; insert into {LEDGER} select * from public.keep")
    with writing(db_url) as conn:
        new.lead_event(conn, person=ana, scout=7, created_at=datetime(2026, 1, 2, tzinfo=UTC))
    found = value(db_url, "select conflict_kind from scout.v_person_attribution")
    assert found == ("CONTRADICTS_LEDGER" if is_conflict else None)
    assert broken(db) == {}


def test_evidence_of_after_a_date_that_is_to_come_is_a_conflict(db: Database, db_url: str) -> None:
    with writing(db_url) as conn:
        ana = new.person(conn)
        new.ledger(conn, person=ana, scout=5, at=datetime(2199, 1, 1, tzinfo=UTC))
    with writing(db_url) as conn:
        new.lead_event(conn, person=ana, scout=7, created_at=datetime.now(UTC))
    assert value(db_url, "select conflict_kind from scout.v_person_attribution") is not None


def test_two_who_write_at_once_do_not_wait(db: Database, db_url: str) -> None:
    story(db_url)
    with writing(db_url) as one, writing(db_url) as two:
        for conn, name, scout in ((one, "ana", 3), (two, "dora", 4)):
            conn.exec_driver_sql("set local lock_timeout = '2s'")
            conn.execute(
                text(f"update {LEDGER} set attributed_scout_id = :s where person_key = :p"),
                {"s": scout, "p": key(name)},
            )
    found = rows(db_url, EXTERNAL)
    assert (key("ana"), None, 3, False) in found
    assert (key("dora"), 5, 4, False) in found


def test_what_cannot_be_audited_never_stops_the_owner(db: Database, db_url: str) -> None:
    story(db_url)
    refresh(db)
    do(db_url, f"alter table {LEDGER} rename column attribution_rule to rule_before")
    do(db_url, f"update {LEDGER} set attributed_scout_id = 3 where person_key = '{key('ana')}'")
    do(db_url, f"alter table {LEDGER} rename column rule_before to attribution_rule")
    assert value(db_url, "select count(*) from scout.missed_changes") == 1
    settle.settle(db)
    assert rows(db_url, EXTERNAL)[-1] == (key("ana"), 7, 3, False)
    assert value(db_url, "select count(*) from scout.missed_changes") == 0
    assert broken(db) == {}


def test_what_is_written_without_triggers_is_audited_when_all_is_settled(
    db: Database, db_url: str
) -> None:
    story(db_url)
    refresh(db)
    do(
        db_url,
        "set local session_replication_role = replica",
        f"update {LEDGER} set attributed_scout_id = 3 where person_key = '{key('ana')}'",
        f"delete from {LEDGER} where person_key = '{key('beto')}'",
        f"update canon.identity_links set person_key = '{key('carla')}' where source_pk = '1'",
        "delete from canon.identity_links where source_pk = '2'",
    )
    assert broken(db).keys() >= {"ledger_equals_its_audit", "links_are_audited"}
    settle.build(db)
    assert set(rows(db_url, EXTERNAL)[-2:]) == {
        (key("ana"), 7, 3, False),
        (key("beto"), 8, None, False),
    }
    assert broken(db) == {}
    noted = len(rows(db_url, EXTERNAL))
    settle.build(db)
    assert len(rows(db_url, EXTERNAL)) == noted
