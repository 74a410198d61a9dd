"""The demo: real proportions, every situation, the same from the same seed, all or nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import sqlalchemy as sa

from scout_core import cli
from scout_core.access.permissions import Actor
from scout_core.db.database import ADMIN, ADMIN_LOOK, CHECK, LOOK, Database
from scout_core.errors import DemoRefused
from scout_core.health import invariants
from scout_core.install import demo
from scout_core.job import refresh
from scout_core.settings import load as load_settings
from tests.support import databases

SETTINGS = load_settings({}, dotenv=None)
OPERATOR = Actor("test", "operator")
TODAY = date(2026, 1, 10)

OUTCOMES = {
    "BACKFILL_LICENSE_MATCH",
    "BACKFILL_PHONE_MATCH",
    "BACKFILL_NEW_PERSON",
    "AMBIGUOUS_LICENSE",
    "AMBIGUOUS_PHONE",
    "IDENTIFIERS_DISAGREE",
    "NO_IDENTIFIERS",
}
REASONS = {
    ("A", "DECIDED_NO_SCOUT"),
    ("A", "UNREADABLE_SCOUT"),
    ("A", "SCOUT_ONLY_IN_OTHER_SOURCE"),
    ("A", "EVENTS_WITHOUT_SCOUT"),
    ("C", "DECIDED_NO_SCOUT"),
    ("C", "SCOUT_ONLY_IN_OTHER_SOURCE"),
    ("C", "NO_EVENTS"),
    ("D", "DECIDED_NO_SCOUT"),
    ("D", "HELD_AFTER_UNDO"),
    ("D", "SEVERAL_SCOUTS"),
    ("D", "OTHER_SOURCE_DISAGREES"),
    ("D", "UNREADABLE_SCOUT"),
    ("D", "UNKNOWN_SCOUT"),
    ("D", "WAITING_FOR_NEXT_RUN"),
}
BUCKETS = {
    "SATISFACTORY_LEDGER",
    "EVENTS_ONLY",
    "MIGRATIONS_ONLY",
    "SCOUTING_DAILY_ONLY",
    "CABINET_PAYMENTS_ONLY",
    "MISSING",
}
KINDS = {"SEVERAL_SCOUTS", "CONTRADICTS_LEDGER", "NEW_EVIDENCE"}


def quiet(_: str) -> None:
    pass


def demo_template(server_url: str, persons: int) -> str:
    made_of = databases.hash_of("tests/source_schema.sql", "sql", "scout_core")

    def fill(url: str) -> None:
        database = Database(url)
        demo.load(database, SETTINGS, persons=persons, report=quiet)
        database.dispose()

    return databases.template(server_url, f"demo{persons}", made_of, fill)


def cloned(server_url: str, persons: int):
    with databases.clone(server_url, demo_template(server_url, persons)) as url:
        database = Database(url)
        database.persons = persons
        yield database
        database.dispose()


@pytest.fixture(params=[2033, 200])
def demo_db(request, server_url):
    """A database with demo data, installed, not refreshed. `persons` is how many."""
    yield from cloned(server_url, request.param)


@pytest.fixture(scope="module")
def real_size_db(server_url):
    """The same in real size, for tests that only look."""
    yield from cloned(server_url, 2033)


@pytest.fixture(scope="module")
def small_db(server_url):
    """The same with 200 persons, for tests that only look."""
    yield from cloned(server_url, 200)


@pytest.fixture(params=["real_size_db", "small_db"])
def looked_at_db(request):
    """Either of them, for tests that only look."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def bare_db(empty_db):
    database = Database(empty_db)
    yield database
    database.dispose()


def rows(db, query, profile=ADMIN_LOOK):
    with db.transaction(profile) as conn:
        return [tuple(row) for row in conn.execute(sa.text(query))]


def value(db, query):
    return rows(db, query)[0][0]


def contents(db):
    with db.transaction(ADMIN_LOOK) as conn:
        return [row.name for row in conn.execute(demo.sql.statement("demo/contents"))]


def write(db, script):
    with db.transaction(ADMIN) as conn:
        conn.exec_driver_sql(script)


STRUCTURE = {
    "columns": """
        select table_schema, table_name, column_name, data_type, udt_name, is_nullable,
            column_default, numeric_precision, numeric_scale, ordinal_position
        from information_schema.columns
        where table_schema in ('canon', 'observational', 'ops', 'public')
    """,
    "constraints": """
        select conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        from pg_constraint
        where connamespace::regnamespace::text in ('canon', 'observational', 'ops', 'public')
    """,
    "indexes": """
        select schemaname, tablename, indexname, indexdef from pg_indexes
        where schemaname in ('canon', 'observational', 'ops', 'public')
    """,
    "views": """
        select schemaname, viewname, definition from pg_views
        where schemaname in ('canon', 'observational', 'ops', 'public')
    """,
    "labels": """
        select enumtypid::regtype::text, enumlabel, enumsortorder from pg_enum
    """,
}


@pytest.mark.parametrize("part", STRUCTURE)
def test_source_tables_are_those_of_the_owner(part, source_db, bare_db):
    owner = Database(source_db)
    with bare_db.transaction(ADMIN) as conn:
        demo._run_file(conn, "source_tables")
        demo._run_file(conn, "source_constraints")
    of_the_demo = {
        row
        for row in rows(bare_db, STRUCTURE[part])
        if not any("scout_payment_rules" in str(v) for v in row)
        and not any("scout_liquidation_ledger" in str(v) for v in row)
    }
    assert of_the_demo == set(rows(owner, STRUCTURE[part]))
    assert of_the_demo
    owner.dispose()


CATEGORIES = """
    select category, count(*) from ops.v_persons_without_scout_categorized group by category
"""


def test_proportions_are_the_real_ones(real_size_db):
    counted = dict(rows(real_size_db, CATEGORIES))
    assert counted == {"C": 1313, "A": 193, "D": 174}
    waiting_without_ledger_row = """
        select count(*) from ops.v_persons_without_scout_categorized as b
        where category = 'D' and not exists (
            select from observational.lead_ledger as l where l.person_key = b.person_key
        )
    """
    assert value(real_size_db, waiting_without_ledger_row) == 168
    for query, expected in (
        ("select count(*) from canon.identity_registry", 2033),
        ("select count(*) from observational.lead_ledger", 518),
        ("select count(*) from observational.lead_events", 1276),
        ("select count(*) from public.module_ct_scouting_daily", 609),
        ("select count(*) from ops.v_dim_scouts", 42),
        ("select count(*) from ops.v_dim_scouts where is_active", 26),
        ("select count(*) from public.peer_claims", 417),
        ("select count(*) from ops.v_scout_attribution_conflicts", 5),
    ):
        assert value(real_size_db, query) == expected, query
    resolved = "select avg(is_scout_resolved::int) from ops.v_yango_collection_with_scout"
    assert 0.85 < value(real_size_db, resolved) < 0.89


def test_proportions_scale_with_the_persons(bare_db):
    report = demo.load(bare_db, SETTINGS, persons=300, report=quiet)
    counted = dict(rows(bare_db, CATEGORIES))
    for category, of_2033 in (("C", 1313), ("A", 193), ("D", 174)):
        assert counted[category] == pytest.approx(of_2033 * 300 / 2033, rel=0.05)
    assert report.rows["canon.identity_registry"] == 300
    for table, of_2033 in (
        ("observational.lead_ledger", 518),
        ("observational.lead_events", 1276),
        ("public.peer_claims", 417),
    ):
        assert report.rows[table] == pytest.approx(of_2033 * 300 / 2033, rel=0.05), table
    scouting_rows = report.rows["public.module_ct_scouting_daily"]
    assert scouting_rows == pytest.approx(609 * 300 / 2033, rel=0.2)


def test_every_outcome_of_linking_is_planned(looked_at_db):
    query = "select coalesce(match_rule, reason_code) from scout.v_identity_candidates"
    assert {row[0] for row in rows(looked_at_db, query, CHECK)} == OUTCOMES


def test_both_forms_of_disagreement_occur(real_size_db):
    """The phone is another person's; and: the phone's person is known under another license."""
    query = """
        select count(distinct r.person_key) filter (where r.primary_license is not null)
        from scout.v_identity_candidates as c
        inner join public.module_ct_scouting_daily as s on s.id::text = c.source_pk
        inner join canon.identity_registry as r
            on scout.license_key(r.primary_license) {} scout.license_key(s.driver_license)
            and scout.phone_key(r.primary_phone) {} scout.phone_key(s.driver_phone)
        where c.reason_code = 'IDENTIFIERS_DISAGREE'
    """
    assert rows(real_size_db, query.format("=", "<>"), CHECK)[0][0] > 0
    assert rows(real_size_db, query.format("<>", "="), CHECK)[0][0] > 0


def test_every_backlog_reason_occurs(looked_at_db):
    query = "select category, reason_code from ops.v_persons_without_scout_categorized"
    assert set(rows(looked_at_db, query)) == REASONS


def test_every_kind_of_conflict_occurs(looked_at_db):
    query = "select conflict_kind from ops.v_scout_attribution_conflicts"
    assert {row[0] for row in rows(looked_at_db, query)} == KINDS


def test_a_refresh_runs_unforced_and_leaves_the_five_conflicts(demo_db):
    before = rows(demo_db, "select person_key from ops.v_scout_attribution_conflicts")
    refresh.run_refresh(demo_db, SETTINGS, actor=OPERATOR, trigger="cron")
    after = rows(demo_db, "select person_key from ops.v_scout_attribution_conflicts")
    assert sorted(after) == sorted(before)
    assert len(after) == 5
    remaining = "select 1 from ops.v_persons_without_scout_categorized where reason_code = :reason"
    with demo_db.transaction(LOOK) as conn:
        waiting = conn.execute(sa.text(remaining), {"reason": "WAITING_FOR_NEXT_RUN"}).all()
        assert waiting == []
    with demo_db.transaction(CHECK) as conn:
        assert refresh.plan(conn, SETTINGS).changed_rows == 0
    assert [result for result in invariants.verify(demo_db) if not result.holds] == []
    query = "select distinct scout_quality_bucket from ops.v_yango_collection_with_scout"
    buckets = {row[0] for row in rows(demo_db, query)}
    assert buckets >= {"SATISFACTORY_LEDGER", "EVENTS_ONLY", "MISSING"}
    if demo_db.persons == 2033:
        assert buckets == BUCKETS


def test_every_invariant_holds_on_it(looked_at_db):
    assert [result for result in invariants.verify(looked_at_db) if not result.holds] == []


@pytest.mark.parametrize(
    "form",
    [
        r"^9\d{8}$",
        r"^\+51 \d{3} \d{3} \d{3}$",
        r"^\d{3}-\d{3}-\d{3}$",
        r"^0051\d{9}$",
        r"^51\d{9}$",
        r"^\(\d{3}\) \d{3}-\d{3}$",
        "^no tiene$",
        "^000000000$",
        "^999999999$",
        "^123456789$",
    ],
)
def test_phones_are_written_as_people_write_them(form, real_size_db):
    with real_size_db.transaction(ADMIN_LOOK) as conn:
        query = "select count(*) from public.module_ct_scouting_daily where driver_phone ~ :form"
        assert conn.scalar(sa.text(query), {"form": form}) > 0


@pytest.mark.parametrize("form", [r"^Q\d{8}$", r"^q-\d{8}$", "^NO TIENE$", "^S/N$", "^-$"])
def test_licenses_are_written_as_people_write_them(form, real_size_db):
    with real_size_db.transaction(ADMIN_LOOK) as conn:
        query = "select count(*) from public.module_ct_scouting_daily where driver_license ~ :form"
        assert conn.scalar(sa.text(query), {"form": form}) > 0


def test_rows_are_linked_under_their_id_and_under_the_older_key(looked_at_db):
    linked = """
        select count(*) from public.module_ct_scouting_daily as s
        inner join canon.identity_links as l
            on l.source_table = 'module_ct_scouting_daily' and l.source_pk = {}
    """
    older = (
        "scout.scouting_md5_key("
        "s.scout_id::text, s.driver_phone, s.driver_license, s.registration_date)"
    )
    total = (
        "select count(*) from canon.identity_links where source_table = 'module_ct_scouting_daily'"
    )
    by_id, by_older = (
        rows(looked_at_db, linked.format(key))[0][0] for key in ("s.id::text", older)
    )
    assert by_id > 0
    assert by_older > 0
    assert by_id + by_older == value(looked_at_db, total)


@pytest.mark.parametrize(
    "query",
    [
        "observational.lead_events where person_key is null",
        "observational.lead_events where jsonb_typeof(payload_json) <> 'object'",
        "observational.lead_events where payload_json ?| array['Scout_ID', 'scoutId']",
        "observational.lead_events where payload_json ->> 'scout_id' <> scout_id::text",
        "public.module_ct_scouting_daily where scout_id is null",
        "public.module_ct_scouting_daily where scout_id < 1",
        "public.module_ct_cabinet_payments where person_key is not null",
        "public.module_ct_cabinet_payments where person_key is null and driver_id is not null",
        "public.module_ct_cabinet_leads where external_id is null",
        "canon.identity_links where source_table = 'module_ct_migrations'",
        "ops.scout_payment_rules where is_active",
        "ops.scout_liquidation_ledger",
        "public.module_ct_scouts_list where not is_active",
    ],
)
def test_situation_occurs(query, real_size_db):
    with real_size_db.transaction(ADMIN_LOOK) as conn:
        assert conn.exec_driver_sql(f"select count(*) from {query}").scalar_one() > 0


def test_unreadable_payloads_take_many_forms(real_size_db):
    query = """
        select count(distinct payload_json ->> 'scout_id') from observational.lead_events
        where scout.is_unreadable_scout(payload_json ->> 'scout_id')
    """
    assert value(real_size_db, query) >= 10


def test_nothing_is_dated_in_the_future(looked_at_db):
    for table, column in (
        ("observational.lead_events", "created_at"),
        ("observational.lead_ledger", "updated_at"),
        ("canon.identity_links", "linked_at"),
        ("ops.ingestion_runs", "completed_at"),
    ):
        assert value(looked_at_db, f"select max({column}) <= now() from {table}"), table


def test_thirty_days_of_history_rise_and_are_not_estimated(real_size_db):
    query = """
        select total_persons, satisfactory_count, missing_count, conflicts_count, is_estimated
        from ops.v_scout_attribution_metrics_daily order by metric_date
    """
    days = rows(real_size_db, query)
    assert len(days) == 31
    assert not any(day[4] for day in days)
    totals, satisfactory = [d[0] for d in days], [d[1] for d in days]
    assert totals == sorted(totals)
    assert satisfactory == sorted(satisfactory)
    assert satisfactory[0] < satisfactory[-1]
    assert all(d[0] - d[1] == d[2] and 0 < d[3] < 10 for d in days)


def test_past_runs_are_there_and_one_failed(real_size_db):
    query = """
        select status::text, count(*) from ops.ingestion_runs
        where job_type = 'scout_attribution_refresh' group by status
    """
    assert dict(rows(real_size_db, query)) == {"COMPLETED": 42, "FAILED": 1}


def test_past_runs_are_left_out_where_the_guard_would_then_stop_the_first_refresh(bare_db):
    strict = load_settings({"SCOUT_GUARD_MAX_ROWS": "5"}, dotenv=None)
    assert not demo.load(bare_db, strict, persons=100, report=quiet).has_past_refreshes
    result = refresh.run_refresh(bare_db, strict, actor=OPERATOR, trigger="cron")
    assert result.status == "COMPLETED"


def test_same_seed_gives_the_same_data_and_another_does_not(server_url):
    def loaded(seed):
        with databases.clone(server_url, "template0") as url:
            database = Database(url)
            marks = demo._load_sources(database, SETTINGS, 100, seed, TODAY, quiet).marks
            digest = "select md5(string_agg(t::text, '|' order by t::text)) from {} as t"
            sums = {name: value(database, digest.format(name)) for name in demo.TABLES}
            database.dispose()
            return sums | {"decided and held": marks}

    first, again, other = loaded(7), loaded(7), loaded(8)
    assert first == again
    assert {name for name in first if first[name] == other[name]} == {
        "ops.scout_payment_rules",
        "ops.ingestion_runs",
    }


FOREIGN = {
    "a table": "create table public.guests (id integer)",
    "a view": "create view public.guests as select 1 as id",
    "a schema of the owner": "create schema canon",
    "a type": "create type public.runstatus as enum ('A')",
}


@pytest.mark.parametrize("thing", FOREIGN)
def test_database_that_holds_something_is_refused_and_left_alone(thing, bare_db):
    write(bare_db, FOREIGN[thing])
    before = contents(bare_db)
    for load in (demo.load, demo.load_if_missing):
        with pytest.raises(DemoRefused, match="is not empty"):
            load(bare_db, SETTINGS, persons=100, report=quiet)
    assert contents(bare_db) == before != []


def test_owners_database_is_refused(source_db):
    database = Database(source_db)
    with pytest.raises(DemoRefused, match="is not empty"):
        demo.load(database, SETTINGS, report=quiet)
    database.dispose()


def test_demo_data_is_not_loaded_twice(looked_at_db):
    before = value(looked_at_db, "select count(*) from canon.identity_registry")
    with pytest.raises(DemoRefused, match=f"already .persons={looked_at_db.persons} seed=1"):
        demo.load(looked_at_db, SETTINGS, report=quiet)
    assert demo.load_if_missing(looked_at_db, SETTINGS, report=quiet) is None
    assert value(looked_at_db, "select count(*) from canon.identity_registry") == before


@pytest.mark.parametrize("step", ["_load_sources", "init.init", "_load_past"])
def test_failed_load_leaves_an_empty_database_and_can_be_done_again(step, bare_db, monkeypatch):
    owner, _, name = step.rpartition(".")
    target = getattr(demo, owner) if owner else demo
    real = getattr(target, name)

    def fail(*args, **kwargs):
        real(*args, **kwargs)
        raise RuntimeError("pulled the plug")

    with monkeypatch.context() as patched:
        patched.setattr(target, name, fail)
        with pytest.raises(RuntimeError, match="plug"):
            demo.load(bare_db, SETTINGS, persons=100, report=quiet)
    assert contents(bare_db) == []
    assert demo.load(bare_db, SETTINGS, persons=100, report=quiet).persons == 100


def test_what_a_killed_load_left_is_taken_away_by_the_next(bare_db):
    demo._load_sources(bare_db, SETTINGS, 100, 1, TODAY, quiet)
    said = []
    demo.load(bare_db, SETTINGS, persons=120, report=said.append)
    assert any("did not end" in line for line in said)
    assert value(bare_db, "select count(*) from canon.identity_registry") == 120


def test_two_loads_at_once_make_one_set(empty_db):
    def load(_):
        database = Database(empty_db)
        try:
            return demo.load_if_missing(database, SETTINGS, persons=100, report=quiet)
        finally:
            database.dispose()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(load, range(2)))
    assert sorted(outcome is None for outcome in outcomes) == [False, True]


@pytest.mark.parametrize(("persons", "seed"), [(99, 1), (10**8, 1), (100, -1), (100, 2**31)])
def test_size_or_seed_that_cannot_be_made_is_refused(persons, seed, bare_db):
    with pytest.raises(DemoRefused, match="cannot be made"):
        demo.load(bare_db, SETTINGS, persons=persons, seed=seed, report=quiet)
    assert contents(bare_db) == []


def test_verb_loads_once_and_says_so(empty_db, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", empty_db)
    assert cli.run(["demo", "--persons", "100", "--if-empty"]) == 0
    assert "canon.identity_registry" in capsys.readouterr().out
    assert cli.run(["demo", "--if-empty"]) == 0
    assert capsys.readouterr().out == "The demo data is there already.\n"
    assert cli.run(["demo"]) == 3
    assert "already" in capsys.readouterr().err
    assert cli.run(["demo", "--persons", "99"]) == 2
