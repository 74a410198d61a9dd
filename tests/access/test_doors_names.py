"""Nothing that others can make in a schema is found by a session of ours."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event

from scout_core.attribution.person_search import find
from scout_core.db import connecting, database
from scout_core.db.database import CHECK, LOOK, Database, Profile
from scout_core.errors import DatabaseError
from scout_core.health import invariants, verdict
from scout_core.install import doctor, init
from scout_core.job.refresh import plan
from tests.support.installing import connection, opened, run, settings, value
from tests.support.job import decide, refresh, story
from tests.support.strangers import stranger

# what somebody plants: becomes whoever is logged in and makes itself a superuser
SPRING = """
    create function {schema}.spring() returns boolean language plpgsql as $$
    begin
        if session_user <> '{who}' then
            reset role;
            execute 'alter role {who} superuser';
            raise warning 'sprung as %', session_user;
        end if;
        return true;
    exception when others then
        return true;
    end $$"""
# an operator for every pair of types that has none of its own and so takes one for other types
OPERATORS = """
    do $$
    declare
        pair record;
    begin
        for pair in
            select o.op, a.t as l, b.t as r, o.result
            from (
                values ('=', 'boolean'), ('<>', 'boolean'), ('<', 'boolean'), ('>', 'boolean'),
                ('>=', 'boolean'), ('~', 'boolean'), ('||', 'text')
            ) as o (op, result)
            cross join unnest(array[{types}]) as a (t)
            cross join unnest(array[{types}]) as b (t)
            where not exists (
                select from pg_catalog.pg_operator as p
                where p.oprname = o.op and p.oprleft = a.t::regtype and p.oprright = b.t::regtype
            )
        loop
            execute format(
                'create function {schema}.%I(%s, %s) returns %s language plpgsql as '
                || '''begin perform {schema}.spring(); return null; end''',
                'op' || md5(pair.op || pair.l || pair.r), pair.l, pair.r, pair.result
            );
            execute format(
                'create operator {schema}.%s (leftarg = %s, rightarg = %s, function = {schema}.%I)',
                pair.op, pair.l, pair.r, 'op' || md5(pair.op || pair.l || pair.r)
            );
        end loop;
    end $$"""
# a twin of every function of the catalog that takes text, for the type that most columns have
FUNCTIONS = """
    do $$
    declare
        twin record;
    begin
        for twin in
            select distinct on (p.proname, arguments.list)
                p.proname, arguments.list, p.prorettype::regtype as result, p.proretset
            from pg_catalog.pg_proc as p
            cross join lateral (
                select string_agg(
                    case t.oid when 'text'::regtype then 'varchar' else t.oid::regtype::text end,
                    ', ' order by t.place
                ) as list, bool_or(t.oid = 'text'::regtype) as is_text
                from unnest(p.proargtypes) with ordinality as t (oid, place)
            ) as arguments
            where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f'
                and arguments.is_text
                and p.provariadic = 0 and not p.proretset
                and not exists (
                    select from unnest(p.proargtypes::oid[] || p.prorettype) as a (oid)
                    inner join pg_catalog.pg_type as y on y.oid = a.oid
                    where y.typtype = 'p'
                )
        loop
            execute format(
                'create function {schema}.%I(%s) returns %s language plpgsql as '
                || '''begin perform {schema}.spring(); return null; end''',
                twin.proname, twin.list, twin.result
            );
        end loop;
    end $$"""
TYPES = (
    "varchar text integer bigint smallint numeric uuid date timestamp timestamptz boolean name oid"
    " public.runstatus public.jobtype public.attributionconfidence public.decisionstatus"
)
PROFILES = {value.name: value for value in vars(database).values() if isinstance(value, Profile)}


@pytest.fixture(params=["public", "canon"])
def planted(request: pytest.FixtureRequest, db_url: str) -> Iterator[tuple[str, str]]:
    """A database in which a plain login may create, and has: its URL and the login."""
    schema = request.param
    story(db_url)
    with stranger(db_url, f"usage, create on schema {schema}, public") as login:
        who = value(login, "select session_user::text")
        types = ", ".join(f"'{name}'" for name in TYPES.split())
        run(
            login,
            *(
                statement.format(schema=schema, who=who, types=types)
                for statement in (SPRING, OPERATORS, FUNCTIONS)
            ),
        )
        yield db_url, who


def looked_up(url: str, query: str) -> object:
    """As a session that nothing planted reaches either."""
    with connection(url) as conn:
        conn.exec_driver_sql("set local search_path = pg_catalog, pg_temp")
        return conn.exec_driver_sql(query).scalar()


def test_nothing_planted_in_a_schema_runs_in_what_we_do(planted: tuple[str, str]) -> None:
    url, who = planted
    assert looked_up(url, "select count(*) from pg_operator where oid > 16383") > 500
    with opened(url) as db:
        with db.transaction(CHECK) as conn:
            assert plan(conn, settings()).changed_rows == 6
        refresh(db)
        decide(db, "carla", 7)
        assert [r.name for r in invariants.verify(db) if not r.holds] == []
        with db.transaction(LOOK) as conn:
            assert find(conn, "ANA100").hits
        init.init(db, settings(), report=lambda _: None)
        doctor.examine(db, settings())
    assert looked_up(url, "select count(*) from scout.decisions") == 1
    query = f"select rolsuper from pg_roles where rolname = '{who}'"
    assert looked_up(url, query) is False


def test_an_operator_in_public_does_not_become_the_login(db_url: str) -> None:
    story(db_url)
    with stranger(db_url, "usage, create on schema public") as login:
        who = value(login, "select session_user::text")
        run(
            login,
            SPRING.format(schema="public", who=who),
            "create function public.same(varchar, varchar) returns boolean language plpgsql as"
            " 'begin perform public.spring(); return $1::text = $2::text; end'",
            "create operator public.= (leftarg = varchar, rightarg = varchar,"
            " function = public.same)",
        )
        with opened(db_url) as db:
            with db.transaction(CHECK) as conn:
                plan(conn, settings())
            refresh(db)
        query = f"select rolsuper from pg_roles where rolname = '{who}'"
        assert looked_up(db_url, query) is False


@pytest.mark.parametrize("profile", PROFILES)
def test_every_session_of_ours_looks_in_the_catalog_alone(db: Database, profile: str) -> None:
    with db.transaction(PROFILES[profile]) as conn:
        assert conn.exec_driver_sql("show search_path").scalar_one() == "pg_catalog, pg_temp"


def schemas_of(url: str) -> list[doctor.Finding]:
    with opened(url) as db:
        return [f for f in doctor.examine(db, settings()) if f.layer == "schemas"]


FOREIGN = [
    ("grant create on schema public to public", "public", "public"),
    ("grant create on schema ops to {who}", "ops", "{who}"),
    ("grant create on schema scout to {who}", "scout", "{who}"),
    ("grant create on schema canon to scout_reader", "canon", "scout_reader"),
]


@pytest.mark.parametrize(("grant", "schema", "whom"), FOREIGN)
def test_doctor_says_who_may_create_where_we_read_and_what_a_dba_runs(
    db_url: str, grant: str, schema: str, whom: str
) -> None:
    with stranger(db_url) as login:
        who = value(login, "select session_user::text")
        run(db_url, grant.format(who=who))
        (found,) = schemas_of(db_url)
        revoke = f"revoke create on schema {schema} from {whom.format(who=who)};"
        assert (found.name, found.state) == (schema, "FAIL")
        assert whom.format(who=who) in found.what
        assert revoke in found.todo
        run(db_url, revoke)
        (found,) = schemas_of(db_url)
        assert found.state == "OK"


def test_owner_of_a_schema_may_create_in_it(db_url: str) -> None:
    owner = "select nspowner::regrole::text from pg_namespace where nspname = 'canon'"
    before = value(db_url, owner)
    with stranger(db_url) as login:
        run(db_url, f"alter schema canon owner to {value(login, 'select session_user::text')}")
        (found,) = schemas_of(db_url)
        run(db_url, f"alter schema canon owner to {before}")
    assert found.state == "OK"


def test_function_of_the_owner_that_names_no_schema_is_told_as_such(
    db: Database, db_url: str
) -> None:
    run(
        db_url,
        "create table public.labels (code text, label text)",
        "grant select on public.labels to public",
        "create function public.label_of(wanted text) returns text language plpgsql stable as"
        " 'begin return (select label from labels where code = wanted); end'",
        "create or replace view ops.v_yango_cabinet_claims_for_collection as"
        " select driver_id, person_key, driver_name, milestone_value, lead_date, expected_amount,"
        " lead_date + interval '14 days' as yango_due_date, 0 as days_overdue_yango,"
        " label_of('x') as overdue_bucket_yango, 'UNPAID'::text as yango_payment_status,"
        " payment_key, pay_date, reason_code, match_rule, match_confidence, identity_status,"
        " suggested_driver_id, true as is_reconcilable_enriched from public.peer_claims",
        "insert into public.peer_claims (driver_id, milestone_value) values ('x', 1)",
    )
    query = "select overdue_bucket_yango from ops.v_yango_collection_with_scout"
    with (
        pytest.raises(DatabaseError, match=r"alter function public\.label_of set search_path"),
        db.transaction(LOOK) as conn,
    ):
        conn.exec_driver_sql(query)
    refresh(db)
    found = {f.name: f for f in doctor.examine(db, settings())}
    assert found["public.label_of(text)"].state == "WARN"
    assert "labels" in found["public.label_of(text)"].what
    run(db_url, "alter function public.label_of(text) set search_path = public")
    with db.transaction(LOOK) as conn:
        assert conn.exec_driver_sql(query).all() == [(None,)]
    assert "public.label_of(text)" not in {f.name for f in doctor.examine(db, settings())}


def test_function_that_names_nothing_of_public_is_no_trouble(db: Database, db_url: str) -> None:
    run(
        db_url,
        "create function public.touch() returns trigger language plpgsql as"
        " 'begin new.updated_at = now(); return new; end'",
        "create trigger touch before update on observational.lead_ledger"
        " for each row execute function public.touch()",
    )
    story(db_url)
    refresh(db)
    assert not [f for f in doctor.examine(db, settings()) if "touch" in f.name]


# of the library, at the first connection: the functions of the catalog come first by their own name
OF_THE_LIBRARY = {"select pg_catalog.version()", "select current_schema()"}


def test_every_statement_of_ours_runs_where_the_catalog_alone_is_searched(
    db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, count = set(), 0
    make = connecting.engine

    def watched(*args: Any, **options: Any) -> Engine:
        engine = make(*args, **options)

        @event.listens_for(engine, "before_cursor_execute")
        def look(conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            nonlocal count
            if statement.startswith(("set ", "show ")) or statement in OF_THE_LIBRARY:
                return
            count += 1
            with conn.connection.cursor() as own:
                own.execute("show search_path")
                if own.fetchone()[0] != "pg_catalog, pg_temp":
                    elsewhere.add(statement)

        return engine

    monkeypatch.setattr(connecting, "engine", watched)
    story(db_url)
    with opened(db_url) as db:
        init.init(db, settings(), report=lambda _: None)
        refresh(db)
        decide(db, "carla", 7)
        invariants.verify(db)
        doctor.examine(db, settings())
        with db.transaction(LOOK) as conn:
            verdict.assess(conn, settings(), datetime.now(UTC))
    assert count > 200
    assert elsewhere == set()
