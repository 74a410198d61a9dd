"""Whether the sources are still what init found: judged once, said by everybody."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from scout_core.attribution import fingerprint, settle
from scout_core.db.database import CHECK, LOOK, Database
from scout_core.decide import decisions
from scout_core.errors import GuardStopped, SourcesChanged
from scout_core.health import verdict
from scout_core.install import doctor
from scout_core.install.init import init
from scout_core.install.session import InstallReport
from scout_core.install.uninstall import uninstall
from scout_core.job import mend
from scout_core.job.refresh import plan
from tests.support import databases, world
from tests.support.job import (
    OPERATOR,
    at_point,
    broken_at_all,
    do,
    refresh,
    rows,
    settings,
    value,
)

SCOUTING = "public.module_ct_scouting_daily"
SWAP = (
    f"create table public.tmp (like {SCOUTING} including all)",
    f"insert into public.tmp select * from {SCOUTING}",
    "insert into public.tmp (id, scout_id, driver_license, registration_date)"
    " values (5, 11, 'Q70000005', '2025-03-05')",
    f"alter table {SCOUTING} rename to backup",
    "alter table public.tmp rename to module_ct_scouting_daily",
)
SCOUTS_OF = (
    "select p.conflict_kind, p.ledger_scout_id, p.scout_ids::text from scout.v_person_attribution"
    " as p where right(p.person_key::text, 1) = :person"
)


@pytest.fixture
def db_url(server_url: str) -> Iterator[str]:
    with databases.clone(server_url, world.first_run(server_url)) as url:
        yield url


def install(db: Database) -> InstallReport:
    return init(db, settings(), report=lambda _: None)


def of(url: str, person: int) -> tuple[Any, ...]:
    """Conflict, ledger scout and all scouts of a person of the world."""
    return rows(url, SCOUTS_OF, person=str(person))[0]


def findings(db: Database, state: str) -> dict[str, str]:
    """What doctor finds in this state, by name."""
    return {f.name: f.what for f in doctor.examine(db, settings()) if f.state == state}


def sources_light(db: Database) -> Any:
    with db.transaction(LOOK) as conn:
        lights = verdict.assess(conn, settings(), datetime.now(UTC)).lights
    return next(light for light in lights if light.indicator == "sources")


def test_init_settles_anew_where_triggers_were_off(db: Database, db_url: str) -> None:
    event = (
        "insert into observational.lead_events (source_table, source_pk, event_date, person_key,"
        " scout_id, payload_json, created_at) values ('module_ct_scouting_daily', '7{0}',"
        " '2025-03-09', '00000000-0000-0000-0000-00000000000{0}', 13, '{{}}', now())"
    )
    do(db_url, "alter table observational.lead_events disable trigger user")
    do(db_url, event.format(1), event.format(5))
    done = install(db).done
    assert [line for line in done if "observational.lead_events had been off" in line]
    assert of(db_url, 1) == ("CONTRADICTS_LEDGER", 11, "{11,13}")
    assert of(db_url, 5) == (None, None, "{13}")
    assert of(db_url, 2) == (None, 12, "{12}")
    refresh(db)
    assert of(db_url, 5) == (None, 13, "{13}")
    assert broken_at_all(db) == {}
    assert install(db).is_nothing


def test_a_run_reads_the_table_that_has_the_name_now(db: Database, db_url: str) -> None:
    do(db_url, *SWAP)
    assert "backup" in findings(db, "FAIL")[SCOUTING]
    assert sources_light(db).status == "FAIL"
    with db.transaction(LOOK) as conn, pytest.raises(SourcesChanged, match=r"public\.backup"):
        plan(conn, settings())
    refresh(db, trigger="cron")
    assert of(db_url, 5) == (None, None, "{11}")
    assert findings(db, "FAIL") == {}
    assert sources_light(db).status != "FAIL"
    astray = "select count(*) from pg_trigger where tgrelid = 'public.backup'::regclass"
    assert value(db_url, f"{astray} and tgname like 'scout%'") == 0
    assert broken_at_all(db) == {}


def test_a_run_that_may_not_mend_the_views_fails_and_says_why(
    db: Database, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mend, "init", lambda *_, **__: None)
    do(db_url, *SWAP)
    with pytest.raises(SourcesChanged, match="init"):
        refresh(db, trigger="cron")
    assert of(db_url, 5) == (None, None, "{}")
    error = value(db_url, "select error_message from ops.ingestion_runs order by id desc limit 1")
    assert SCOUTING in error
    rules = rows(db_url, "select a.rule from scout.alerts as a where a.status = 'OPEN'")
    assert ("JOB_FAILED",) in rules


def test_a_dropped_table_takes_our_views_along_and_a_run_makes_them_again(
    db: Database, db_url: str
) -> None:
    do(
        db_url,
        f"create table public.t as table {SCOUTING}",
        f"drop table {SCOUTING} cascade",
        "alter table public.t rename to module_ct_scouting_daily",
    )
    refresh(db, trigger="cron")
    assert of(db_url, 3) == (None, None, "{13}")
    assert broken_at_all(db) == {}


@pytest.mark.parametrize(
    ("source", "emptied"),
    [
        ("public.module_ct_scouts_list", "truncate public.module_ct_scouts_list"),
        (SCOUTING, f"delete from {SCOUTING} where id > 1"),
        ("canon.drivers_index", "truncate canon.drivers_index"),
        ("public.module_ct_migrations", "drop table public.module_ct_migrations cascade"),
    ],
)
def test_a_scheduled_run_stops_where_a_source_lost_its_rows(
    db: Database, db_url: str, source: str, emptied: str
) -> None:
    ledger = rows(db_url, "select * from observational.lead_ledger order by person_key")
    do(db_url, emptied)
    for _ in range(2):
        with pytest.raises(GuardStopped, match=source):
            refresh(db, trigger="cron")
    assert rows(db_url, "select * from observational.lead_ledger order by person_key") == ledger
    refresh(db, trigger="cron", force=True, reason="the rows are gone for good")
    refresh(db, trigger="cron")
    assert broken_at_all(db) == {}


def test_what_runs_of_ours_take_away_stops_no_run(db: Database, db_url: str) -> None:
    links = value(db_url, "select count(*) from canon.identity_links")
    do(db_url, "set local session_replication_role = replica", "truncate canon.identity_links")
    with pytest.raises(GuardStopped, match=r"canon\.identity_links"):
        refresh(db, trigger="cron")
    do(
        db_url,
        f"insert into scout.source_changes values ('canon.identity_links', {-links}, 0, true)",
    )
    refresh(db, trigger="cron")


@pytest.mark.parametrize(
    "table", ["scouting_daily", "migrations", "cabinet_payments", "cabinet_leads"]
)
def test_rows_without_an_id_and_repeated_ones_are_issues_and_the_others_go_on(
    db: Database, db_url: str, table: str
) -> None:
    name = f"public.module_ct_{table}"
    do(
        db_url,
        f"alter table {name} drop constraint module_ct_{table}_pkey",
        f"alter table {name} alter id drop default, alter id drop not null",
        f"insert into {name} (id) values (null), (null), (1)",
        "insert into observational.lead_events (source_table, source_pk, event_date, person_key,"
        " scout_id, payload_json) values ('module_ct_scouting_daily', '9', '2025-03-09',"
        " '00000000-0000-0000-0000-000000000005', 14, '{}')",
    )
    refresh(db, trigger="cron")
    found = (
        "select q.rule, q.source_pk from scout.data_quality_issues as q where q.source_table = :n"
    )
    assert set(rows(db_url, f"{found} and q.closed_at is null", n=name)) == {
        ("ROW_WITHOUT_ID", ""),
        ("REPEATED_ID", "1"),
    }
    assert of(db_url, 5) == (None, 14, "{14}")
    assert broken_at_all(db) == {}
    do(
        db_url,
        f"delete from {name} where id is null",
        f"update {name} set id = 99 where ctid = (select max(ctid) from {name} where id = 1)",
    )
    refresh(db)
    assert rows(db_url, f"{found} and q.closed_at is null", n=name) == []
    assert broken_at_all(db) == {}


def test_what_a_repeated_number_was_linked_to_gets_no_scout(db: Database, db_url: str) -> None:
    do(
        db_url,
        f"alter table {SCOUTING} drop constraint module_ct_scouting_daily_pkey",
        f"insert into {SCOUTING} (id, scout_id, driver_license) values (4, 12, 'Q79999999')",
        "insert into observational.lead_events (source_table, source_pk, event_date, person_key,"
        " scout_id, payload_json) values ('module_ct_scouting_daily', '9', '2025-03-09',"
        " '00000000-0000-0000-0000-000000000004', 14, '{}')",
    )
    refresh(db)
    assert of(db_url, 4) == (None, None, "{14}")
    assert value(db_url, "select count(*) from canon.identity_links where source_pk = '4'") == 1
    assert broken_at_all(db) == {}


@pytest.mark.parametrize(
    "column", ["scout_id", "id", "driver_license", "driver_phone", "registration_date"]
)
def test_a_renamed_column_never_fails_the_owner(db: Database, db_url: str, column: str) -> None:
    do(db_url, f"alter table {SCOUTING} rename column {column} to another")
    do(db_url, f"insert into {SCOUTING} (driver_name) values ('PERSONA CINCO')")
    do(
        db_url,
        f"update {SCOUTING} set driver_name = 'X'",
        f"delete from {SCOUTING} where driver_name is null",
    )
    assert column in findings(db, "WARN")[SCOUTING]
    refresh(db, trigger="cron")
    assert of(db_url, 3) == (None, None, "{13}")
    unlike = {"objects_are_as_shipped"}
    assert broken_at_all(db).keys() <= unlike


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("observational.lead_ledger", "attribution_score"),
        ("observational.lead_ledger", "attributed_scout_id"),
        ("observational.lead_events", "payload_json"),
        ("canon.identity_registry", "flags"),
        ("canon.identity_links", "match_score"),
    ],
)
def test_no_run_goes_on_without_a_column_of_a_table_that_must_be_there(
    db: Database, db_url: str, table: str, column: str
) -> None:
    do(db_url, f"alter table {table} rename column {column} to another")
    do(db_url, f"update {table} set another = another")
    assert column in findings(db, "FAIL")[table]
    assert sources_light(db).status == "FAIL"
    with pytest.raises(SourcesChanged, match=column):
        refresh(db, trigger="cron")
    do(db_url, f"alter table {table} rename column another to {column}")
    refresh(db, trigger="cron")
    assert of(db_url, 1) == (None, 11, "{11}")
    assert findings(db, "FAIL") == {}
    assert broken_at_all(db) == {}


@pytest.mark.parametrize("kind", ["view", "materialized view", "partitioned", "inherited"])
def test_a_source_that_triggers_cannot_watch_is_said(server_url: str, kind: str) -> None:
    with databases.clone(server_url, world.seeded(server_url)) as url:
        if kind == "inherited":
            do(url, f"create table public.child () inherits ({SCOUTING})")
        else:
            do(url, f"alter table {SCOUTING} rename to former")
            how = f"create {kind} {SCOUTING} as select * from public.former"
            if kind == "partitioned":
                how = f"create table {SCOUTING} (like public.former) partition by hash (id)"
            do(url, how)
        if kind == "partitioned":
            do(
                url,
                f"create table public.p0 partition of {SCOUTING}"
                " for values with (modulus 1, remainder 0)",
                "insert into public.p0 select * from public.former",
            )
        db = Database(url)
        try:
            assert [line for line in install(db).lost if SCOUTING in line]
            assert "settles everybody anew" in findings(db, "WARN")[SCOUTING]
            refresh(db)
            assert of(url, 4) == (None, None, "{14}")
            assert broken_at_all(db) == {}
        finally:
            db.dispose()


def test_uninstall_says_what_is_true_after_a_swap(db: Database, db_url: str) -> None:
    do(
        db_url,
        *SWAP,
        "create schema archive",
        "alter table public.module_ct_migrations set schema archive",
    )
    ours = "select count(*) from pg_trigger where tgname like 'scout\\_%'"
    before = value(
        db_url,
        f"{ours} and tgrelid::regclass::text not like 'scout.%'"
        " and tgrelid::regclass::text not like 'ops.%'",
    )
    done = uninstall(db, report=lambda _: None).done
    assert f"Dropped {before} triggers on the source tables." in done
    assert value(db_url, f"{ours} and tgrelid::regclass::text not like 'ops.%'") == 0


MIGRATIONS = "public.module_ct_migrations"
FIVE = "00000000-0000-0000-0000-000000000005"


def event(person: str, scout: int) -> str:
    """An event that names a scout for a person of the world."""
    return (
        "insert into observational.lead_events (source_table, source_pk, event_date, person_key,"
        f" scout_id, payload_json) values ('m', '{person[-1]}50', '2025-03-09', '{person}',"
        f" {scout}, '{{}}')"
    )


def migrated(scout: int, row_id: str = "default") -> str:
    """A migration of driver 5."""
    return (
        f"insert into {MIGRATIONS} (id, driver_id, scout_id, hire_date)"
        f" values ({row_id}, 'D5', {scout}, '2025-03-01')"
    )


UNSEEN = {
    "another column under the name": (
        f"alter table {MIGRATIONS} rename column scout_id to former",
        f"alter table {MIGRATIONS} add column scout_id bigint",
        migrated(13),
    ),
    "a row without a number": (
        f"alter table {MIGRATIONS} drop constraint module_ct_migrations_pkey",
        f"alter table {MIGRATIONS} alter id drop default, alter id drop not null",
        migrated(13, "null"),
    ),
    "a payment of the driver whose person is a blank": (
        "insert into public.module_ct_cabinet_payments (date, scout_id, driver, driver_id)"
        " values ('2025-03-01', 13, 'X', 'D5')",
    ),
    "an update while triggers are off": (
        migrated(12),
        "-- settle",
        f"alter table {MIGRATIONS} disable trigger user",
        # the statistics of a copied database begin anew: as many writes as rows are not missed
        *[f"update {MIGRATIONS} set scout_id = 13 where driver_id = 'D5'"] * 4,
        f"alter table {MIGRATIONS} enable trigger user",
    ),
    "rows that replication brings back after a TRUNCATE": (
        migrated(13),
        f"create table public.kept as table {MIGRATIONS}",
        f"truncate {MIGRATIONS}",
        "-- settle",
        f"set local session_replication_role = replica; insert into {MIGRATIONS}"
        " select * from public.kept",
    ),
    "an update through the parent": (
        migrated(12),
        f"create table public.parent (like {MIGRATIONS} including defaults)",
        f"alter table {MIGRATIONS} inherit public.parent",
        "-- settle",
        "update public.parent set scout_id = 13 where driver_id = 'D5'",
    ),
}


@pytest.mark.parametrize("steps", UNSEEN.values(), ids=[n.replace(" ", "_") for n in UNSEEN])
def test_what_another_source_says_is_seen_before_a_scout_is_written(
    db: Database, db_url: str, steps: tuple[str, ...]
) -> None:
    do(db_url, event(FIVE, 12))
    settle.settle(db)
    for step in steps:
        if step == "-- settle":
            settle.settle(db)
        else:
            do(db_url, step)
    refresh(db, trigger="cron")
    assert of(db_url, 5) == ("SEVERAL_SCOUTS", None, "{12,13}")
    assert broken_at_all(db) == {}


def test_a_source_that_is_emptied_while_a_run_is_at_work_stops_it(
    db: Database, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(db_url, event("00000000-0000-0000-0000-000000000006", 11))
    at_point(monkeypatch, "mid work", lambda: do(db_url, f"delete from {MIGRATIONS}"))
    with pytest.raises(GuardStopped, match="while the run was at work"):
        refresh(db)
    assert of(db_url, 6)[1] is None


def test_a_run_by_hand_says_what_is_lost_and_the_schedule_goes_on_missing_it(
    db: Database, db_url: str
) -> None:
    do(db_url, f"delete from {SCOUTING}")
    done = refresh(db)
    assert f"{SCOUTING} had 4 rows" in done.stats["steps"]["sources"]["lost"]
    with pytest.raises(GuardStopped, match="had 4 rows"):
        refresh(db, trigger="cron")


def test_ids_that_are_given_anew_are_no_change_that_the_guard_minds(
    db: Database, db_url: str
) -> None:
    do(
        db_url,
        f"create table public.kept as table {SCOUTING}",
        f"truncate {SCOUTING}",
        f"insert into {SCOUTING} select k.* from public.kept as k where false",
        f"insert into {SCOUTING} (id, scout_id, driver_phone, driver_license, registration_date)"
        " select 5 - k.id, k.scout_id, k.driver_phone, k.driver_license, k.registration_date"
        " from public.kept as k",
    )
    with db.transaction(CHECK) as conn:
        assert plan(conn, settings()).guard is None
    done = refresh(db, trigger="cron", environ={"SCOUT_GUARD_MAX_PCT": "20"})
    assert done.stats["steps"]["link"]["changed"] == 4
    assert of(db_url, 4) == (None, None, "{14}")
    assert broken_at_all(db) == {}


def test_a_decision_waits_for_the_table_that_has_the_name_now(db: Database, db_url: str) -> None:
    do(db_url, *SWAP)
    with pytest.raises(SourcesChanged):
        decide_person(db, "00000000-0000-0000-0000-000000000001", 11)


def decide_person(db: Database, person: str, scout: int) -> None:
    with db.transaction(LOOK) as conn:
        seen = fingerprint.seen_of(conn, [person])[person]
    decisions.decide(
        db,
        actor=OPERATOR,
        person_key=person,
        scout_id=scout,
        outcome="ASSIGN",
        reason_code="OTHER",
        note="called both, the first one registered him",
        seen=seen,
    )
