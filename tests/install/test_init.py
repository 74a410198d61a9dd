"""init on the owner's database: what it makes, and that it makes it once."""

import threading
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from scout_core.errors import (
    DatabaseReadOnly,
    InstallError,
    MissingTables,
    SchemaFileChanged,
    WrongDatabase,
)
from scout_core.install import init as install
from scout_core.install.schema import JOB_TYPES
from scout_core.install.tree import AUDIT_TABLES
from scout_core.runs import record
from scout_core.sources import SOURCES
from tests.support import catalog
from tests.support.installing import (
    column,
    connection,
    init,
    opened,
    run,
    settings,
    sql_tree,
    value,
)

CONTRACT_VIEWS = {
    "v_scout_attribution_raw",
    "v_scout_attribution",
    "v_scout_attribution_conflicts",
    "v_persons_without_scout_categorized",
    "v_scout_attribution_metrics_snapshot",
    "v_scout_attribution_metrics_daily",
    "v_yango_collection_with_scout",
    "v_scout_payment_base",
    "v_cabinet_leads_missing_scout_alerts",
    "v_dim_scouts",
}


def test_every_contract_view_and_audit_table_is_there(db_url: str) -> None:
    names = column(db_url, "select relname from pg_class where relnamespace = 'ops'::regnamespace")
    assert set(names) >= CONTRACT_VIEWS
    assert set(names) >= {table.partition(".")[2] for table in AUDIT_TABLES}


def test_every_contract_view_can_be_read_by_the_reader(db_url: str) -> None:
    for view in sorted(CONTRACT_VIEWS):
        value(db_url, f"select count(*) from ops.{view}", role="scout_reader")


def test_everything_of_ours_has_a_comment(db_url: str) -> None:
    bare = column(
        db_url,
        "select c.oid::regclass::text from pg_class as c"
        " where c.relkind in ('r', 'v') and obj_description(c.oid) is null"
        " and pg_get_userbyid(c.relowner) = 'scout_owner'"
        " union all select p.oid::regprocedure::text from pg_proc as p"
        " where p.pronamespace = 'scout'::regnamespace and obj_description(p.oid) is null"
        " union all select 'schema scout'"
        " where obj_description('scout'::regnamespace, 'pg_namespace') is null",
    )
    assert bare == []


def test_a_view_says_what_one_row_is(db_url: str) -> None:
    comment = value(db_url, "select obj_description('ops.v_scout_attribution'::regclass)")
    first_line = Path("sql/views/6_reports/v_scout_attribution.sql").read_text().splitlines()[0]
    assert comment.startswith(first_line.removeprefix("-- "))


def test_the_kinds_of_run_are_labels_that_can_be_used(db_url: str) -> None:
    labels = column(
        db_url, "select enumlabel::text from pg_enum where enumtypid = 'jobtype'::regtype"
    )
    assert labels == ["identity_run", "drivers_index_refresh", *JOB_TYPES]
    assert set(record.JOB_TYPES.values()) == set(JOB_TYPES)


def test_facts_of_the_installation_are_noted(db_url: str) -> None:
    facts = dict(
        row.split("=")
        for row in column(db_url, "select name || '=' || value from scout.install_facts")
    )
    assert facts["source_timezone"] == "America/Lima"
    assert facts["installed_at"].endswith("Z")
    assert "version" in facts


def test_a_second_time_does_nothing(db_url: str) -> None:
    with connection(db_url) as conn:
        before = catalog.rows(conn)
    report = init(db_url)
    with connection(db_url) as conn:
        assert catalog.difference(before, catalog.rows(conn)) == {}
    assert report.is_nothing
    assert report.lost == ()


def test_the_comparison_itself_sees_a_replaced_view(db_url: str) -> None:
    with connection(db_url) as conn:
        before = catalog.rows(conn)
        definition = "pg_get_viewdef('ops.v_dim_scouts'::regclass)"
        body = conn.exec_driver_sql(f"select {definition}").scalar_one()
        conn.exec_driver_sql(f"create or replace view ops.v_dim_scouts as {body}")
        assert catalog.difference(before, catalog.rows(conn)) != {}


def test_two_at_once_install_once(source_db: str) -> None:
    failures: list[BaseException] = []

    def install_here() -> None:
        try:
            init(source_db)
        except BaseException as exc:  # noqa: BLE001 - shown below
            failures.append(exc)

    threads = [threading.Thread(target=install_here) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert init(source_db).is_nothing


def test_an_empty_database_is_refused_with_the_list_and_the_way_out(empty_db: str) -> None:
    with pytest.raises(MissingTables) as caught:
        init(empty_db)
    for source in SOURCES:
        assert (source.name in caught.value.message) == source.is_mandatory
    assert "demo" in caught.value.message
    assert column(empty_db, "select 1 from pg_namespace where nspname = 'scout'") == []


def test_a_missing_mandatory_table_or_column_is_named_and_nothing_is_made(source_db: str) -> None:
    with connection(source_db) as conn:
        conn.exec_driver_sql("drop table observational.lead_events")
        conn.exec_driver_sql("alter table canon.identity_unmatched drop column candidates_preview")
    with connection(source_db) as conn:
        before = catalog.definitions(conn)
    with pytest.raises(MissingTables) as caught:
        init(source_db)
    assert "observational.lead_events (absent)" in caught.value.message
    assert "canon.identity_unmatched (lacks column candidates_preview)" in caught.value.message
    with connection(source_db) as conn:
        assert catalog.difference(before, catalog.definitions(conn)) == {}


def test_an_older_server_is_refused(source_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "OLDEST_VERSION", 990000)
    with pytest.raises(WrongDatabase, match="too old"):
        init(source_db)


def test_a_read_only_database_is_left_for_later(source_db: str) -> None:
    name = source_db.partition("?")[0].rpartition("/")[2]
    run(source_db, f"alter database {name} set default_transaction_read_only = on")
    with pytest.raises(DatabaseReadOnly):
        init(source_db)


def test_an_edited_schema_file_is_refused(source_db: str, tmp_path: Path) -> None:
    tree = sql_tree(tmp_path)
    init(source_db, tree)
    edited = tree / "schema" / "002_runs.sql"
    edited.write_text(edited.read_text() + "\n-- changed")
    with pytest.raises(SchemaFileChanged) as caught:
        init(source_db, tree)
    assert caught.value.message.startswith(
        "Schema file 002_runs.sql was edited after it was applied on"
    )
    assert caught.value.message.endswith("Restore it and add a new file.")


def test_line_ends_of_a_checkout_are_no_edit(source_db: str, tmp_path: Path) -> None:
    tree = sql_tree(tmp_path)
    init(source_db, tree)
    for path in tree.rglob("*.sql"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert init(source_db, tree).is_nothing


def test_a_new_schema_file_is_applied_and_a_bad_one_leaves_no_trace(
    db_url: str, tmp_path: Path
) -> None:
    tree = sql_tree(tmp_path)
    (tree / "schema" / "900_good.sql").write_text("create table scout.good (id integer);")
    bad = tree / "schema" / "901_bad.sql"
    bad.write_text("create table scout.half (id integer); select 1 / 0;")
    with pytest.raises(InstallError, match=r"901_bad\.sql was refused: division by zero"):
        init(db_url, tree)
    assert value(db_url, "select to_regclass('scout.good') is not null")
    assert value(db_url, "select to_regclass('scout.half') is null")
    bad.write_text("create table scout.half (id integer);")
    init(db_url, tree)
    assert value(db_url, "select to_regclass('scout.half') is not null")


def test_a_database_of_a_newer_version_is_refused(db_url: str, tmp_path: Path) -> None:
    tree = sql_tree(tmp_path)
    (tree / "schema" / "900_newer.sql").write_text("select 1;")
    init(db_url, tree)
    with pytest.raises(InstallError, match="Install the newer version"):
        init(db_url)


def test_two_schema_files_of_one_number_are_refused(db_url: str, tmp_path: Path) -> None:
    tree = sql_tree(tmp_path)
    (tree / "schema" / "002_twin.sql").write_text("select 1;")
    with pytest.raises(InstallError, match="share the number 2"):
        init(db_url, tree)


def test_another_zone_is_taken_over_and_an_unknown_one_refused(db_url: str) -> None:
    report = init(db_url, SCOUT_SOURCE_TIMEZONE="Pacific/Auckland")
    assert value(db_url, "select scout.source_timezone()") == "Pacific/Auckland"
    assert not report.is_nothing
    assert init(db_url, SCOUT_SOURCE_TIMEZONE="Pacific/Auckland").is_nothing
    odd = settings().model_copy(update={"source_timezone": "Moon/'Base"})
    with opened(db_url) as db, pytest.raises(InstallError, match="does not know the time zone"):
        install.init(db, odd, report=lambda _: None)


@pytest.mark.parametrize("role", ["scout_owner", "scout_writer", "scout_reader", None])
def test_audit_tables_refuse_every_change_by_every_role(db_url: str, role: str | None) -> None:
    # The superuser tries it with triggers off.
    prepare = "select 1" if role else "set local session_replication_role = replica"
    for table in (*AUDIT_TABLES, "scout.seals", "scout.decisions"):
        second = "select attname from pg_attribute where attnum = 2 and attrelid = "
        name = value(db_url, f"{second} '{table}'::regclass")
        for change in (
            f"update {table} set {name} = {name}",
            f"delete from {table}",
            f"truncate {table}",
        ):
            with pytest.raises(DBAPIError) as caught:
                run(db_url, prepare, change, role=role)
            assert caught.value.orig.pgcode == "42501"
