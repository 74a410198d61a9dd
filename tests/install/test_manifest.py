"""An installation has the functions, triggers, tables and views of this version and nothing else on
them: whatever a superuser puts in their place is found, whatever the database notes of itself."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from scout_core.db.database import Database
from scout_core.health import invariants
from scout_core.install import manifest
from scout_core.install.tree import SQL_ROOT, append_only_tables, view_files
from tests.support import databases
from tests.support.installing import connection, init, run, settings
from tests.support.job import broken_at_all, do, rows, value
from tests.support.tampering import attacking

OBJECTS = invariants.OBJECT_CHECK
OURS = (
    "from pg_class as c where (c.relnamespace = 'scout'::regnamespace or c.oid = any(array["
    + ", ".join(f"'{t.name}'" for t in append_only_tables() if t.name.startswith("ops."))
    + "]::regclass[]))"
)


@pytest.fixture(scope="module")
def url(server_url: str) -> Iterator[str]:
    """A fresh installation. Nothing may commit to it."""
    with databases.clone(server_url, databases.installed_template(server_url)) as fresh:
        yield fresh


def differing(conn: Connection, **given) -> dict[str, str]:
    return {row["object"]: row["problem"] for row in manifest.differing(conn, **given)}


def column(conn: Connection, query: str) -> list[str]:
    return list(conn.execute(text(query)).scalars())


def test_manifest_in_the_tree_is_that_of_a_fresh_installation(url: str):
    """`make manifest` writes it."""
    with connection(url) as conn:
        assert manifest.as_text(conn, settings().source_timezone) == manifest.PATH.read_text()


def test_fresh_installation_is_as_shipped(url: str):
    db = Database(url)
    with connection(url) as conn:
        assert differing(conn) == {}
    assert list(manifest.differing_views(db)) == []
    assert broken_at_all(db) == {}
    db.dispose()


def test_body_of_each_function_is_compared(url: str):
    with attacking(url) as conn:
        conn.exec_driver_sql("set local allow_system_table_mods = on")
        changed = column(
            conn,
            "update pg_proc set prosrc = prosrc || ' ' where pronamespace = 'scout'::regnamespace"
            " and prosqlbody is null returning 'function ' || oid::regprocedure::text",
        )
        assert len(changed) > 40
        assert differing(conn) == dict.fromkeys(changed, "has another body")


def test_what_each_function_may_do_is_compared(url: str):
    with attacking(url) as conn:
        functions = column(
            conn,
            "select oid::regprocedure::text from pg_proc"
            " where pronamespace = 'scout'::regnamespace",
        )
        for function in functions:
            conn.exec_driver_sql(f"alter function {function} set work_mem = '1MB'")
        assert differing(conn).keys() == {f"function {function}" for function in functions}
        for function in functions:
            conn.exec_driver_sql(f"alter function {function} reset work_mem")
        assert differing(conn) == {}
        for function in functions:
            conn.exec_driver_sql(f"alter function {function} owner to scout_writer")
        assert differing(conn).keys() == {f"owner of {function}" for function in functions}


def test_each_trigger_is_compared(url: str):
    """Those on tables of ours and of the change tracking: off, on for replicas too, and dropped."""
    with attacking(url) as conn:
        conn.exec_driver_sql("set local search_path = pg_catalog")
        triggers = conn.exec_driver_sql(
            "select t.tgname, t.tgrelid::regclass::text, t.tgenabled::text from pg_trigger as t"
            " join pg_proc as p on p.oid = t.tgfoid where not t.tgisinternal"
            " and p.pronamespace = 'scout'::regnamespace"
        ).all()
        names = {f"trigger {table}.{name}" for name, table, _ in triggers}
        assert len(names) > 60
        for state in ("disable", "enable replica"):
            for name, table, _ in triggers:
                conn.exec_driver_sql(f"alter table {table} {state} trigger {name}")
            assert differing(conn).keys() == names
        conn.exec_driver_sql("delete from scout.installed_objects where kind = 'trigger'")
        for name, table, _ in triggers:
            conn.exec_driver_sql(f"drop trigger {name} on {table}")
        assert differing(conn) == dict.fromkeys(names, "is missing")


def test_each_view_is_compared_with_its_file(db: Database, db_url: str):
    """Replaced, with what init noted changed as well."""
    views = view_files(SQL_ROOT, frozenset())
    with connection(db_url) as conn:
        for view in views:
            body = conn.exec_driver_sql(f"select pg_get_viewdef('{view.name}'::regclass)").scalar()
            conn.exec_driver_sql(
                f"create or replace view {view.name} as select x.* from ({str(body).rstrip(';')})"
                " as x where random() < 2"
            )
            conn.exec_driver_sql(
                "update scout.installed_objects set definition_hash ="
                f" md5(pg_get_viewdef('{view.name}'::regclass)) where name = '{view.name}'"
            )
    assert {row["object"] for row in manifest.differing_views(db)} == {
        f"view {view.name}" for view in views
    }
    assert broken_at_all(db)[OBJECTS][0]["problem"] == "is not what its file says"


def test_view_that_is_gone_is_found(db: Database, db_url: str):
    do(db_url, "drop view ops.v_scout_payment_base")
    assert {row["object"]: row["problem"] for row in broken_at_all(db)[OBJECTS]} == {
        "relation ops.v_scout_payment_base": "is missing",
        "view ops.v_scout_payment_base": "is missing",
    }


def test_each_default_constraint_and_unique_index_is_compared(url: str):
    with attacking(url) as conn:
        defaults = conn.exec_driver_sql(
            "select d.adrelid::regclass::text, a.attname from pg_attrdef as d"
            " join pg_attribute as a on (a.attrelid, a.attnum) = (d.adrelid, d.adnum)"
            f" where a.attgenerated = '' and d.adrelid in (select c.oid {OURS})"
        ).all()
        for table, name in defaults:
            conn.exec_driver_sql(f"alter table {table} alter {name} drop default")
        expected = {f"column {table}.{name}" for table, name in defaults}
        assert len(expected) > 20
        assert differing(conn).keys() == expected
        constraints = conn.exec_driver_sql(
            "select conrelid::regclass::text, conname from pg_constraint where contype = 'c'"
            f" and conrelid in (select c.oid {OURS})"
        ).all()
        for table, name in constraints:
            conn.exec_driver_sql(f"alter table {table} drop constraint {name}")
        expected |= {f"constraint {table}.{name}" for table, name in constraints}
        indexes = conn.exec_driver_sql(
            "select i.indrelid::regclass::text, x.relname, i.indexrelid::regclass::text from"
            " pg_index as i join pg_class as x on x.oid = i.indexrelid where i.indrelid in"
            f" (select c.oid {OURS}) and not exists"
            " (select from pg_constraint where conindid = i.indexrelid)"
        ).all()
        for table, name, index in indexes:
            conn.exec_driver_sql(f"drop index {index}")
            expected.add(f"index {table}.{name}")
        assert len(constraints) > 30
        assert len(indexes) > 30
        assert differing(conn).keys() == expected


FUNCTION = (
    "create function public.theirs() returns trigger language plpgsql as 'begin return null; end'"
)
FOREIGN = {
    "trigger on a sealed table": (
        f"{FUNCTION}; create trigger theirs before insert on scout.seals for each row"
        " execute function public.theirs()",
        "trigger scout.seals.theirs",
    ),
    "trigger of theirs that runs a function of ours": (
        "create trigger theirs after insert on observational.lead_ledger for each statement"
        " execute function scout.note_scouts_list()",
        "trigger observational.lead_ledger.theirs",
    ),
    "rule": (
        "create rule theirs as on insert to scout.denials do instead nothing",
        "rule scout.denials.theirs",
    ),
    "rule on an audit table of ops": (
        "create rule theirs as on insert to ops.job_runs_audit do instead nothing",
        "rule ops.job_runs_audit.theirs",
    ),
    "policy": (
        "create policy theirs on scout.denials using (false)",
        "policy scout.denials.theirs",
    ),
    "row security": ("alter table scout.runs force row level security", "relation scout.runs"),
    "child": (
        "create table public.theirs () inherits (ops.job_runs_audit)",
        "child public.theirs",
    ),
    "owner of a table": ("alter table scout.denials owner to postgres", "owner of scout.denials"),
    "owner of the schema": (
        "alter schema scout owner to postgres",
        "owner of schema scout",
    ),
    "overload": (
        "create function scout.lima_date(text) returns date language sql return current_date",
        "function scout.lima_date(text)",
    ),
    "table": ("create table scout.theirs (n integer)", "relation scout.theirs"),
    "column": ("alter table scout.denials add theirs text", "column scout.denials.theirs"),
    "column of an audit table of ops": (
        "alter table ops.job_runs_audit add theirs text",
        "column ops.job_runs_audit.theirs",
    ),
    "operator": (
        "create operator scout.=== (leftarg = text, rightarg = text, function = texteq)",
        "operator scout.===(text,text)",
    ),
    "type": ("create type scout.theirs as enum ('a')", "type scout.theirs"),
    "index that runs a function": (
        "create index theirs on scout.denials (lower(actor))",
        "index scout.denials.theirs",
    ),
    "event trigger": (
        "create function public.theirs() returns event_trigger language plpgsql as"
        " 'begin end'; create event trigger theirs on ddl_command_end"
        " execute function public.theirs()",
        "event trigger theirs",
    ),
    "setting of the database": (
        "do $$ begin execute format('alter database %I set session_replication_role = replica',"
        " current_database()); end $$",
        "setting session_replication_role=replica",
    ),
    "setting of a role": (
        "alter role scout_writer set session_replication_role = 'local'",
        "setting session_replication_role=local",
    ),
    "right": ("grant update (actor), delete on scout.denials to public", "right of public"),
    "foreign key that is off": (
        "alter table scout.delivery_log disable trigger all",
        "trigger scout.delivery_log.scout_append_only",
    ),
    "function beside one of PostgreSQL": (
        "set local allow_system_table_mods = on; create function pg_catalog.sha256(text)"
        " returns bytea language sql return null::bytea",
        "function sha256(text)",
    ),
    "view that somebody may look through": (
        "alter view scout.v_runs set (security_invoker = true)",
        "relation scout.v_runs",
    ),
    "schema file that is not noted": (
        "delete from scout.schema_files where version = 3",
        "schema file 003_audit.sql",
    ),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_foreign_or_turned_off_is_found(url: str, what: str):
    statements, name = FOREIGN[what]
    with attacking(url) as conn:
        assert differing(conn) == {}
        conn.exec_driver_sql(statements)
        assert name in differing(conn)


def test_plain_index_and_known_event_trigger_are_no_harm(url: str):
    with attacking(url) as conn:
        conn.exec_driver_sql("create index theirs on scout.denials (actor)")
        conn.exec_driver_sql(FOREIGN["event trigger"][0])
        assert differing(conn).keys() == {"event trigger theirs"}
        assert differing(conn, known_event_triggers=["theirs"]) == {}


def test_zone_of_the_sources_is_that_of_the_settings(url: str):
    with attacking(url) as conn:
        assert differing(conn, zone="America/Lima") == {}
        assert differing(conn, zone="UTC").keys() == {"function scout.source_timezone()"}


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
def test_installation_for_another_zone_is_as_shipped(source_db: str, zone: str):
    init(source_db, SCOUT_SOURCE_TIMEZONE=zone)
    with connection(source_db) as conn:
        assert differing(conn, zone=zone) == {}
        assert differing(conn) == {}


def test_absent_source_is_no_difference(source_db: str):
    run(source_db, "drop table public.module_ct_migrations, public.module_ct_scouts_list cascade")
    init(source_db)
    db = Database(source_db)
    assert broken_at_all(db) == {}
    db.dispose()


def test_trigger_that_init_may_not_make_is_no_difference(url: str):
    """A login without rights on the owner's tables has no change tracking, as init says."""
    with attacking(url) as conn:
        conn.exec_driver_sql("create role test_guest login in role scout_owner, scout_writer")
        triggers = column(
            conn,
            "select tgname from pg_trigger where tgrelid = 'observational.lead_ledger'::regclass"
            " and not tgisinternal",
        )
        for name in triggers:
            conn.exec_driver_sql(f"drop trigger {name} on observational.lead_ledger")
        names = {f"trigger observational.lead_ledger.{name}" for name in triggers}
        assert differing(conn).keys() == names
        conn.exec_driver_sql("set local session authorization test_guest")
        conn.exec_driver_sql("set local role scout_writer")
        assert differing(conn) == {}


def test_older_audit_table_keeps_its_shape_and_is_guarded_all_the_same(source_db: str):
    run(
        source_db,
        "create table ops.job_runs_audit (id serial primary key, ingestion_run_id integer,"
        " note varchar(20) unique, event text)",
    )
    init(source_db)
    with connection(source_db) as conn:
        assert differing(conn) == {}
    with attacking(source_db) as conn:
        conn.exec_driver_sql("alter table ops.job_runs_audit disable trigger scout_append_only")
        conn.exec_driver_sql("alter table ops.job_runs_audit drop column actor cascade")
        assert differing(conn).keys() >= {
            "trigger ops.job_runs_audit.scout_append_only",
            "column ops.job_runs_audit.actor",
        }


def test_nothing_is_left_of_the_comparison(db: Database, db_url: str):
    before = rows(db_url, "select count(*) from pg_class")
    assert list(manifest.differing_views(db)) == []
    assert rows(db_url, "select count(*) from pg_class") == before


def test_views_that_cannot_be_compared_are_no_views_that_are_right(db: Database, db_url: str):
    name = value(db_url, "select current_database()")
    do(db_url, f"revoke temporary on database {name} from public, scout_writer, scout_owner")
    found = broken_at_all(db)[OBJECTS]
    assert {row["problem"] for row in found} == {
        "cannot be compared with its file: no right to make temporary objects"
    }
