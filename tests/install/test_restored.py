"""What a dump and a restore lose or change, and init puts back, over all our tables."""

import pytest

from scout_core.db.database import Database
from scout_core.install import doctor, roles
from scout_core.install.tree import SQL_ROOT, append_only_tables, own_triggers
from tests.support import databases
from tests.support.catalog import definitions, difference
from tests.support.installing import column, connection, init, opened, run, settings, value
from tests.support.job import broken_at_all

TRIGGERS = own_triggers(SQL_ROOT)
GUARDS = sorted(trigger.relation for trigger in TRIGGERS if trigger.is_always)
# how a trigger can come back, or be left
CHANGES = {
    "ordinary": "alter table {0.relation} enable trigger {0.name}",
    "off": "alter table {0.relation} disable trigger {0.name}",
    "only as a replica": "alter table {0.relation} enable replica trigger {0.name}",
    "gone": "drop trigger {0.name} on {0.relation}",
}
# what each role may change of ours; pg_monitor is anybody
RIGHTS = """
    select concat_ws(' ', r, p, c.oid::regclass, a.attname)
    from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and not a.attisdropped and a.attnum > 0
    cross join unnest(array['scout_writer', 'scout_reader', 'pg_monitor']) as r
    cross join unnest(array['INSERT', 'UPDATE', 'REFERENCES']) as p
    where c.relkind in ('r', 'v') and c.relnamespace::regnamespace::text in ('scout', 'ops')
        and has_column_privilege(r, c.oid, a.attnum, p)
    union all
    select concat_ws(' ', r, p, c.oid::regclass)
    from pg_class as c
    cross join unnest(array['scout_writer', 'scout_reader', 'pg_monitor']) as r
    cross join unnest(array['DELETE', 'TRUNCATE', 'TRIGGER']) as p
    where c.relkind in ('r', 'v') and c.relnamespace::regnamespace::text in ('scout', 'ops')
        and has_table_privilege(r, c.oid, p)
    order by 1"""
# what a restore does: another transaction writes the same rows
WRITTEN_ELSEWHERE = (
    "create temporary table kept as select * from scout.install_facts",
    "delete from scout.install_facts",
    "insert into scout.install_facts select * from kept",
)


def states(url: str) -> dict[str, str]:
    with connection(url) as conn:
        return definitions(conn)


def found(url: str, state: str) -> set[tuple[str, str]]:
    with opened(url) as db:
        return {(f.layer, f.name) for f in doctor.examine(db, settings()) if f.state == state}


def test_every_trigger_of_our_tables_is_known_with_its_setting(db_url: str) -> None:
    """Those of the numbered files are those of the catalog."""
    there = column(
        db_url,
        "select n.nspname || '.' || c.relname || ' ' || t.tgname || ' ' || t.tgenabled::text"
        " from pg_trigger as t join pg_class as c on c.oid = t.tgrelid"
        " join pg_namespace as n on n.oid = c.relnamespace"
        " join pg_proc as p on p.oid = t.tgfoid"
        " where not t.tgisinternal and p.pronamespace = 'scout'::regnamespace"
        " and (n.nspname = 'scout' or c.relname ~ '_audit$')",
    )
    wanted = {f"{t.relation} {t.name} {'A' if t.is_always else 'O'}" for t in TRIGGERS}
    assert set(there) == wanted
    assert len(GUARDS) >= 14


def test_every_list_of_append_only_tables_is_that_of_the_guards(db_url: str) -> None:
    assert sorted(table.name for table in append_only_tables()) == GUARDS
    # what the job may not say of itself there: grants by column, never on the whole table
    with connection(db_url) as conn:
        needed = [p for p in roles.privileges(conn, []) if p.is_wanted]
    whole = {p.object_name for p in needed if p.is_ours and p.privilege == "insert"}
    assert whole.isdisjoint(GUARDS)
    by_column = {p.object_name for p in needed if p.is_ours and p.privilege.startswith("insert (")}
    assert sorted(by_column) == GUARDS


@pytest.mark.sampled(2)
@pytest.mark.parametrize("how", CHANGES)
def test_init_sets_every_trigger_of_ours_again_and_says_so(how: str, db_url: str) -> None:
    before = states(db_url)
    # an ordinary trigger that is on is as it should be
    changed = [t for t in TRIGGERS if t.is_always or how != "ordinary"]
    run(db_url, *(CHANGES[how].format(trigger) for trigger in changed))
    assert found(db_url, "FAIL") == {
        ("audit", t.relation) if t.is_always else ("triggers", t.name) for t in changed
    }
    with opened(db_url) as db:
        assert "audit_is_append_only" in broken_at_all(db)
    done = init(db_url).done
    (guards,) = [line for line in done if "always on again" in line]
    assert f"on {len(GUARDS)} tables: {', '.join(GUARDS)}." in guards
    assert ("work again" in " ".join(done)) == (how != "ordinary")
    assert difference(before, states(db_url)) == {}
    with opened(db_url) as db:
        assert broken_at_all(db) == {}
    assert init(db_url).is_nothing


def test_init_touches_only_the_guard_that_is_weak(db_url: str) -> None:
    run(db_url, "alter table scout.seals enable trigger scout_append_only")
    stamps = "select tgrelid::regclass::text || xmin from pg_trigger where tgname ~ '^scout_'"
    before = set(column(db_url, stamps))
    (line,) = [line for line in init(db_url).done if "always on again" in line]
    assert "on 1 table: scout.seals." in line
    assert {stamp.rstrip("0123456789") for stamp in before ^ set(column(db_url, stamps))} == {
        "scout.seals"
    }


def test_a_table_that_gets_a_guard_later_is_watched_too(db_url: str) -> None:
    run(
        db_url,
        "create table scout.later (id bigint)",
        "create trigger scout_append_only before update or delete or truncate on scout.later"
        " for each statement execute function scout.refuse_change()",
    )
    with opened(db_url) as db:
        (row,) = broken_at_all(db)["audit_is_append_only"]
    assert row["table_name"] == "scout.later"


def test_init_after_a_restore_settles_and_counts_anew_and_says_why(db_url: str) -> None:
    built = "select built_at from scout.state"
    counted = (
        "select count(*) from pg_stats where schemaname = 'scout' and tablename = 'schema_files'"
    )
    before = value(db_url, built)
    assert not any(name == "restore" for _, name in found(db_url, "WARN"))
    assert init(db_url).is_nothing
    run(db_url, *WRITTEN_ELSEWHERE)
    assert ("installation", "restore") in found(db_url, "WARN")
    done = init(db_url).done
    assert [
        line for line in done if line.startswith("The database was restored from a backup")
    ] == [
        "The database was restored from a backup since the last init: the planner's statistics"
        " were collected anew.",
        "The database was restored from a backup since the last init: settled 0 persons anew.",
    ]
    assert value(db_url, built) > before
    assert value(db_url, counted) > 0
    assert init(db_url).is_nothing
    assert ("installation", "restore") not in found(db_url, "WARN")


@pytest.mark.parametrize(
    "statement", ["vacuum full scout.install_facts", "vacuum freeze scout.install_facts"]
)
def test_what_rewrites_a_table_is_no_restore(statement: str, db_url: str) -> None:
    databases.execute(db_url, statement)
    assert init(db_url).is_nothing


def test_a_copy_of_the_whole_database_is_no_restore(server_url: str, db: Database) -> None:
    db.dispose()
    name = db.url.partition("?")[0].rpartition("/")[2]
    with databases.clone(server_url, name) as copied:
        assert init(copied).is_nothing


@pytest.fixture
def open_to_all(db_url: str) -> str:
    """As a hosted database whose default privileges give everybody everything."""
    tables = column(
        db_url,
        "select oid::regclass::text from pg_class where relnamespace = 'scout'::regnamespace"
        " and relkind in ('r', 'v')",
    )
    everything = ", ".join([*tables, *(t for t in GUARDS if t.startswith("ops."))])
    run(
        db_url,
        f"grant all on {everything} to public",
        f"grant all on {everything} to scout_writer",
        "grant update (note) on scout.decisions to scout_reader",
    )
    return db_url


def test_nobody_keeps_a_right_to_change_ours_that_a_restore_gave(
    open_to_all: str, server_url: str
) -> None:
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        wanted = column(url, RIGHTS)
    assert set(wanted) < set(column(open_to_all, RIGHTS))
    with opened(open_to_all) as db:
        named = {row["table_name"] for row in broken_at_all(db)["audit_is_append_only"]}
    assert named
    done = init(open_to_all).done
    (line,) = [line for line in done if "privileges to change what is ours" in line]
    assert line.endswith("from public, scout_reader, scout_writer.")
    assert column(open_to_all, RIGHTS) == wanted
    # reading stays as it was given: it changes nothing
    assert value(open_to_all, "select has_table_privilege('pg_monitor', 'scout.seals', 'select')")
    assert init(open_to_all).is_nothing
