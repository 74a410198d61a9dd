"""Functions of ours work by names that nobody else can take, and only who needs one may call it."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from scout_core.install import doctor
from tests.support.installing import connection, init, opened, run, settings, value
from tests.support.job import do, key, rows, story, writing
from tests.support.strangers import stranger

PATH = "search_path=pg_catalog, pg_temp"
# who writes a source evaluates the indexes of ours on it, whatever the types of its columns
PUBLIC = {
    "scout.license_key",
    "scout.phone_key",
    "scout.scouting_md5_key",
    "scout.read_key",
    "scout.read_day",
    "scout.read_row_number",
}
# and what these call of ours where a date was loaded as text
BENEATH = {
    "scout.read_moment",
    "scout.source_timestamp",
    "scout.sane_timestamp",
    "scout.sane_date",
    "scout.source_timezone",
}
TRACKED = (
    "canon.identity_registry, canon.identity_links, canon.identity_unmatched,"
    " canon.drivers_index, observational.lead_ledger, observational.lead_events,"
    " public.module_ct_scouting_daily, public.module_ct_migrations, public.module_ct_scouts_list,"
    " public.module_ct_cabinet_payments, public.module_ct_cabinet_leads"
)
# leaves the door open for who comes later
PLANT = """
    create function pg_temp.plant() returns boolean language plpgsql as $$
    begin
        insert into scout.api_tokens (token_id, name, role, secret_hash, created_by, expires_at)
        values ('0123456789abcdef', 'planted', 'admin', sha256('x'), 'x', now() + interval '1 day');
        begin
            alter table ops.lead_ledger_scout_backfill_audit disable trigger scout_append_only;
            delete from ops.lead_ledger_scout_backfill_audit;
        exception when others then
            null;
        end;
        return true;
    exception when others then
        return true;
    end $$"""
# one name of each kind that a body may mention, in the way of the real one
HIJACKS = {
    "a view": "create temp view pg_namespace as select n.* from pg_catalog.pg_namespace as n"
    " where pg_temp.plant()",
    "a domain": "create domain pg_temp.text as pg_catalog.text check (pg_temp.plant())",
}
# runs as somebody else than the login: it does not end well
TRAP = """
    create function pg_temp.trap() returns boolean language plpgsql as $$
    begin
        if current_user <> session_user then
            raise exception 'TRAP as %', current_user;
        end if;
        return true;
    end $$"""
CHANGES = {
    "S": "{c} || 'x'",
    "N": "{c} + 1000000",
    "D": "{c} + interval '1 day'",
    "B": "not {c}",
    "U": "case when {c} is null then null end",
}


@pytest.fixture
def url(db_url: str) -> str:
    """A database with a bit of everything, in which nothing holds a row back."""
    story(db_url)
    return db_url


def state_of(url: str) -> list[tuple[object, ...]]:
    return [
        *rows(url, "select token_id from scout.api_tokens"),
        *rows(url, "select id, actor from ops.lead_ledger_scout_backfill_audit order by id"),
        *rows(url, "select tgname, tgenabled from pg_trigger where tgname = 'scout_append_only'"),
    ]


@pytest.mark.parametrize("hijack", HIJACKS)
def test_nothing_of_who_may_update_the_ledger_runs_as_the_owner(url: str, hijack: str) -> None:
    run(url, "update observational.lead_ledger set attributed_scout_id = 6")
    before = state_of(url)
    grants = ("usage on schema observational", "select, update on observational.lead_ledger")
    with stranger(url, *grants) as login:
        run(
            login,
            PLANT,
            HIJACKS[hijack],
            # also on the way of a run, which asks who it is
            "set local scout.run_id = '1'",
            "update observational.lead_ledger set attributed_scout_id = 8",
        )
        name = value(login, "select session_user::text")
    after = state_of(url)
    noted = [row for row in after if row not in before]
    assert before == [row for row in after if row not in noted]
    assert noted
    assert {actor for _, actor in noted} == {name}


def test_who_only_reads_cannot_hang_a_trigger_of_ours_on_a_table_of_theirs(url: str) -> None:
    triggers = rows(
        url,
        "select oid::regprocedure::text from pg_proc"
        " where pronamespace = 'scout'::regnamespace and prorettype = 'trigger'::regtype",
    )
    before = state_of(url)
    with stranger(url, "scout_reader") as login:
        for (function,) in triggers:
            with connection(login) as conn:
                conn.exec_driver_sql("create temp table mine (person_key uuid)")
                with pytest.raises(DBAPIError, match="permission denied for function"):
                    conn.exec_driver_sql(
                        f"create trigger t after insert on mine execute function {function}"
                    )
    assert len(triggers) > 10
    assert state_of(url) == before


def planted(conn: Connection) -> set[str]:
    """A temporary relation or type for each name of the catalog that functions of ours mention."""
    conn.exec_driver_sql(TRAP)
    words = {
        word
        for (body,) in conn.execute(
            text(
                "select pg_get_functiondef(oid) from pg_proc"
                " where pronamespace = 'scout'::regnamespace"
            )
        )
        for word in re.findall(r"\w+", body.lower())
    }
    relations = conn.execute(
        text(
            "select relname::text from pg_catalog.pg_class"
            " where relnamespace = 'pg_catalog'::regnamespace and relkind in ('r', 'v')"
        )
    ).scalars()
    types = conn.execute(
        text(
            "select typname::text from pg_catalog.pg_type where typtype = 'b' and typelem = 0"
            " and typnamespace = 'pg_catalog'::regnamespace"
        )
    ).scalars()
    done = set()
    # the catalog first: what is planted is in the way of who plants
    found = [(f"view {n}", n) for n in relations] + [(f"domain {n}", n) for n in types]
    for what, name in found:
        if name not in words:
            continue
        if what.startswith("view"):
            # a column without a type of its own can be in no view
            columns = conn.exec_driver_sql(
                "select string_agg('x.' || quote_ident(a.attname), ', ' order by a.attnum)"
                " from pg_catalog.pg_attribute as a"
                " inner join pg_catalog.pg_type as y on y.oid = a.atttypid and y.typtype <> 'p'"
                f" where a.attrelid = 'pg_catalog.{name}'::regclass and a.attnum > 0"
            ).scalar()
            conn.exec_driver_sql(
                f"create view pg_temp.{name} as"
                f" select {columns} from pg_catalog.{name} as x where pg_temp.trap()"
            )
        else:
            conn.exec_driver_sql(
                f'create domain pg_temp."{name}" as pg_catalog."{name}" check (pg_temp.trap())'
            )
        done.add(what)
    return done


def attempts(conn: Connection) -> Iterator[str]:
    """Statements that fire every trigger that calls a function of ours, and calls of the others."""
    tables = list(
        conn.execute(
            text(
                "select distinct t.tgrelid::regclass::text from pg_catalog.pg_trigger as t"
                " inner join pg_catalog.pg_proc as p on p.oid = t.tgfoid"
                " where p.pronamespace = 'scout'::regnamespace and p.prosecdef"
            )
        ).scalars()
    )
    columns = conn.execute(
        text(
            "select attrelid::regclass::text, pg_catalog.quote_ident(attname), t.typcategory::text,"
            " t.typname::text"
            " from pg_catalog.pg_attribute inner join pg_catalog.pg_type as t on t.oid = atttypid"
            " where attrelid::regclass::text = any(:tables) and attnum > 0"
            " and attgenerated = '' and attidentity = '' and not attisdropped"
        ),
        {"tables": tables},
    ).all()
    for table in tables:
        names = ", ".join(c for t, c, *_ in columns if t == table)
        # a table that only grows takes rows and nothing else
        yield f"insert into {table} ({names}) select {names} from {table} where false"
        yield (
            f"create temp table kept on commit drop as select {names} from {table};"
            f" delete from {table}; insert into {table} ({names}) select {names} from kept"
        )
        yield (
            f"create temp table kept on commit drop as select {names} from {table};"
            f" truncate {table}; insert into {table} ({names}) select {names} from kept"
        )
    for table, column, category, type_name in columns:
        change = "gen_random_uuid()" if type_name == "uuid" else CHANGES.get(category)
        if change and not type_name.startswith(("json", "_")):
            yield f"update {table} set {column} = {change.format(c=column)}"
    for function, count in conn.execute(
        text(
            "select oid::regproc::text, pronargs from pg_catalog.pg_proc"
            " where pronamespace = 'scout'::regnamespace and prosecdef"
            " and prorettype <> 'trigger'::regtype"
        )
    ):
        yield f"select {function}({', '.join(['null'] * count)})"


def sprung(url: str, login: str) -> tuple[set[str], set[str], list[str]]:
    """Functions that ran, names that were planted, and traps that were sprung."""
    ran: set[str] = set()
    traps = []
    with connection(login) as conn:
        statements = list(attempts(conn))
        names = planted(conn)
        for statement in statements:
            attempt = conn.begin_nested()
            try:
                conn.exec_driver_sql(statement)
                # what waits for the end of the transaction
                conn.exec_driver_sql("set constraints all immediate")
            except DBAPIError as exc:
                if "TRAP" in str(exc.orig):
                    traps.append(f"{statement}: {exc.orig}")
            attempt.rollback()
        ran = set(
            conn.exec_driver_sql(
                "select s.schemaname || '.' || s.funcname"
                " from pg_catalog.pg_stat_xact_user_functions as s where s.calls > 0"
            ).scalars()
        )
    return ran, names, traps


def test_nothing_planted_runs_in_any_function_of_ours(url: str) -> None:
    definers = {
        name
        for (name,) in rows(
            url,
            "select 'scout.' || proname from pg_proc"
            " where pronamespace = 'scout'::regnamespace and prosecdef"
            " and prolang = (select oid from pg_language where lanname = 'plpgsql')",
        )
    }
    for table, name in rows(
        url,
        "select conrelid::regclass::text, conname::text from pg_constraint where contype = 'f'",
    ):
        do(url, f"alter table {table} drop constraint {name}")
    # numbers are looked at for repeated ones where nothing forbids them
    do(
        url,
        "alter table public.module_ct_cabinet_leads drop constraint module_ct_cabinet_leads_pkey",
    )
    with writing(url) as conn:
        conn.exec_driver_sql(
            "insert into scout.decisions (person_key, outcome, scout_id, considered_scout_ids,"
            f" reason_code, note, actor) values ('{key('ana')}', 'ASSIGN', 7, '{{7}}', 'OTHER',"
            " 'a note', 'olga');"
            "insert into scout.holds (subject, person_key, reason, actor)"
            f" values ('person', '{key('ana')}', 'a reason', 'olga');"
            "insert into scout.data_quality_issues (source_table, source_pk, rule, raw_hash)"
            " values ('observational.lead_events', '1', 'UNREADABLE_SCOUT', 'x')"
        )
    schemas = "canon, observational, ops, public, scout"
    rights = (
        "scout_writer, scout_reader",
        f"usage on schema {schemas}",
        f"all on all tables in schema {schemas}",
        f"all on all sequences in schema {schemas}",
    )
    with stranger(url, *rights) as login:
        who = value(login, "select session_user::text")
        run(url, f"alter role {who} set track_functions = 'pl'")
        ran, names, traps = sprung(url, login)
    assert {"view pg_namespace", "domain text", "domain uuid"} <= names
    assert definers - ran == set()
    assert traps == []


def test_every_function_of_ours_has_its_own_path_and_its_own_callers(db_url: str) -> None:
    found = rows(
        db_url,
        "select p.oid::regprocedure::text, l.lanname::text, p.prosecdef,"
        " coalesce((select c from unnest(p.proconfig) as c where c ~ '^search_path='), ''),"
        " has_function_privilege('public', p.oid, 'execute')"
        " from pg_proc as p inner join pg_language as l on l.oid = p.prolang"
        " where p.pronamespace = 'scout'::regnamespace",
    )
    for name, language, is_definer, path, _ in found:
        # a SQL function with the rights of its caller goes into the query that calls it
        allowed = {PATH} if is_definer or language != "sql" else {PATH, ""}
        assert path in allowed, name
    assert {name.split("(")[0] for name, *_, is_public in found if is_public} == PUBLIC | BENEATH
    assert len(found) > 60


def test_what_everybody_may_call_is_what_the_indexes_on_the_sources_call(db_url: str) -> None:
    called = rows(
        db_url,
        "select distinct d.refobjid::regprocedure::text from pg_index as i"
        " inner join pg_class as c on c.oid = i.indrelid"
        " inner join pg_depend as d on d.classid = 'pg_class'::regclass"
        " and d.objid = i.indexrelid and d.refclassid = 'pg_proc'::regclass"
        " inner join pg_proc as p on p.oid = d.refobjid"
        " where p.pronamespace = 'scout'::regnamespace"
        " and c.relnamespace <> 'scout'::regnamespace",
    )
    assert {name.split("(")[0] for (name,) in called} == PUBLIC


OPENED = [
    "create or replace function scout.note_unsealed() returns trigger language plpgsql"
    " security definer set search_path = pg_catalog as $$ begin return null; end $$",
    "alter function scout.new_person_key(bigint) reset search_path",
    "alter function scout.first_bids(bigint[], text[], uuid[]) set search_path = public",
    "grant execute on function scout.note_ledger() to public",
    "create function scout.later() returns integer language sql return 1",
]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("statement", OPENED)
def test_doctor_names_a_function_that_is_open_and_init_closes_it(
    db_url: str, statement: str
) -> None:
    run(db_url, f"set local role scout_owner; {statement}")
    name = re.search(r"scout\.\w+", statement)
    assert name is not None
    with opened(db_url) as db:
        found = [f for f in doctor.examine(db, settings()) if f.layer == "rights"]
    assert [f.state for f in found] == ["FAIL"]
    assert name.group() in found[0].name
    assert found[0].todo == doctor.INIT
    assert not init(db_url).is_nothing
    with opened(db_url) as db:
        found = [f for f in doctor.examine(db, settings()) if f.layer == "rights"]
    assert [f.state for f in found] == ["OK"]
    assert init(db_url).is_nothing


def test_who_writes_a_source_needs_no_right_on_anything_of_ours(url: str) -> None:
    schemas = "canon, observational, public"
    rights = (
        f"usage on schema {schemas}",
        f"select, insert, update, delete on {TRACKED}",
        f"usage on all sequences in schema {schemas}",
    )
    with stranger(url, *rights) as login:
        story(login, "b")
    assert value(url, "select count(*) from scout.pending_persons") > 0
