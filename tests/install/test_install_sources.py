"""init with sources that are absent, incomplete, or appear later; and with older audit tables."""

import pytest
from sqlalchemy import text

from scout_core import sources
from scout_core.errors import ForeignObject
from scout_core.install.tree import AUDIT_TABLES
from scout_core.sources import SOURCES, Source
from tests.support import factories
from tests.support.installing import column, connection, init, run, value

OPTIONAL = [source for source in SOURCES if not source.is_mandatory]
COUNT_RAW = "select count(*) from ops.v_scout_attribution_raw"
OLDER_IDENTITY_AUDIT = """
create table ops.identity_links_backfill_audit (
    id serial primary key, batch_label varchar not null, source_table varchar(40) not null,
    source_pk varchar not null, person_key uuid not null, match_method varchar(20) not null,
    action_type varchar(20) not null check (action_type in ('CREATED', 'SKIPPED')),
    backfill_timestamp timestamptz not null, unique (source_table, source_pk));
insert into ops.identity_links_backfill_audit values
    (7, 'old', 'module_ct_scouting_daily', '1', gen_random_uuid(), 'OLD', 'CREATED', '2025-01-09')
"""
OLDER_LEDGER_AUDIT = """
create table ops.lead_ledger_scout_backfill_audit (
    id serial primary key, person_key uuid not null, legacy_note text not null,
    backfill_method varchar(30) not null check (backfill_method in ('BACKFILL', 'MANUAL')),
    notes text);
insert into ops.lead_ledger_scout_backfill_audit values
    (3, gen_random_uuid(), 'kept', 'BACKFILL', 'old row')
"""


def drop_optional(url: str) -> None:
    with connection(url) as conn:
        for source in OPTIONAL:
            kind = "view" if source.name == "ops.v_yango_cabinet_claims_for_collection" else "table"
            conn.exec_driver_sql(f"drop {kind} if exists {source.name} cascade")


def state_of(url: str, source: str) -> sources.SourceState:
    with connection(url) as conn:
        return next(s for s in sources.inspect(conn) if s.source.name == source)


def test_every_optional_source_may_be_absent(source_db: str) -> None:
    drop_optional(source_db)
    report = init(source_db)
    assert report.lost == ()
    assert value(source_db, COUNT_RAW, role="scout_reader") == 0
    assert init(source_db).is_nothing


def test_a_source_that_appears_later_is_read_from_the_next_init_on(source_db: str) -> None:
    drop_optional(source_db)
    init(source_db)
    with connection(source_db) as conn:
        conn.exec_driver_sql(
            "create table public.module_ct_migrations (id serial primary key, driver_id varchar,"
            " scout_id integer, hire_date timestamp, created_at timestamp)"
        )
        factories.migration(conn, scout=7, driver="d1")
    assert value(source_db, COUNT_RAW) == 0
    report = init(source_db)
    assert value(source_db, COUNT_RAW, role="scout_reader") == 1
    assert any("scout_migrations_driver" in line for line in report.done)
    assert init(source_db).is_nothing


def test_a_source_that_goes_is_an_empty_one(db_url: str) -> None:
    with connection(db_url) as conn:
        factories.migration(conn, scout=7, driver="d1")
    assert value(db_url, COUNT_RAW) == 1
    run(db_url, "alter table public.module_ct_migrations rename to module_ct_migrations_old")
    init(db_url)
    assert value(db_url, COUNT_RAW) == 0
    assert init(db_url).is_nothing


def test_a_source_that_lacks_a_column_counts_as_absent_and_is_named(source_db: str) -> None:
    run(
        source_db,
        "alter table public.module_ct_scouting_daily drop column driver_license",
        "alter table public.module_ct_scouting_daily drop column registration_date",
    )
    state = state_of(source_db, "public.module_ct_scouting_daily")
    assert state.lack == "lacks columns driver_license, registration_date"
    assert not state.is_usable
    assert init(source_db).lost == ()


def test_the_columns_that_are_asked_for_are_enough(source_db: str) -> None:
    with connection(source_db) as conn:
        claims = "ops.v_yango_cabinet_claims_for_collection"
        needed = next(s for s in SOURCES if s.name == claims).columns
        conn.exec_driver_sql(f"alter view {claims} rename to full_claims")
        conn.exec_driver_sql(
            f"create view {claims} as select {', '.join(needed)} from ops.full_claims"
        )
        for source in SOURCES:
            if source.name != claims:
                _drop_columns_beyond(conn, source)
    report = init(source_db)
    assert report.lost == ()
    for view in column(source_db, "select name from scout.installed_objects where kind = 'view'"):
        value(source_db, f"select count(*) from {view}", role="scout_reader")


def _drop_columns_beyond(conn, source: Source) -> None:
    query = text(
        "select attname from pg_attribute where attrelid = to_regclass(:name) and attnum > 0"
    )
    for name in conn.execute(query, {"name": source.name}).scalars().all():
        if name not in source.columns:
            conn.exec_driver_sql(f"alter table {source.name} drop column {name} cascade")


def test_an_older_audit_table_is_extended_and_its_rows_are_kept(source_db: str) -> None:
    run(source_db, OLDER_IDENTITY_AUDIT, OLDER_LEDGER_AUDIT)
    init(source_db)
    assert column(source_db, "select batch_label from ops.identity_links_backfill_audit") == ["old"]
    assert column(source_db, "select notes from ops.lead_ledger_scout_backfill_audit") == [
        "old row"
    ]
    for action in ("CREATED", "AMBIGUOUS", "SKIPPED", "REVERTED"):
        run(
            source_db,
            "insert into ops.identity_links_backfill_audit (source_table, source_pk, action_type,"
            f" match_method) values ('module_ct_scouting_daily', '1', '{action}', '{'M' * 40}')",
            role="scout_writer",
        )
    run(
        source_db,
        "insert into ops.lead_ledger_scout_backfill_audit (person_key, backfill_method)"
        " values (gen_random_uuid(), 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS')",
        role="scout_writer",
    )
    undated = (
        "select count(*) from ops.identity_links_backfill_audit where backfill_timestamp is null"
    )
    assert value(source_db, undated) == 0
    assert init(source_db).is_nothing


def test_a_fresh_audit_table_demands_exactly_what_every_row_of_ours_fills(db_url: str) -> None:
    for table, required in AUDIT_TABLES.items():
        demanded = column(
            db_url,
            f"select attname::text from pg_attribute where attrelid = '{table}'::regclass"
            " and attnum > 0 and attnotnull and not atthasdef and attidentity = ''",
        )
        assert sorted(demanded) == sorted(required)


def test_an_audit_name_taken_by_a_view_is_refused(source_db: str) -> None:
    run(source_db, "create view ops.job_runs_audit as select 1 as id")
    with pytest.raises(ForeignObject, match=r"ops\.job_runs_audit exists already and is no table"):
        init(source_db)
    assert value(source_db, "select id from ops.job_runs_audit") == 1
