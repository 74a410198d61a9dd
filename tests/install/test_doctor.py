"""doctor names each thing that is wrong, what to do, and nothing else."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from scout_core.install import doctor
from scout_core.install import init as install
from scout_core.install.doctor import Finding
from tests.support.installing import init, opened, run, settings, sql_tree

DAMAGES = [
    ("drop trigger scout_track_update on observational.lead_ledger", "triggers", "WARN"),
    (
        "alter table observational.lead_ledger disable trigger scout_track_insert",
        "triggers",
        "WARN",
    ),
    ("drop index canon.scout_registry_phone", "indexes", "WARN"),
    ("drop view ops.v_scout_payment_base cascade", "views", "FAIL"),
    (
        "create or replace view scout.src_drivers_index as select null::text as driver_id,"
        ' null::text collate "C" as license_key, null::text collate "C" as phone_key,'
        " null::text as license, null::text as phone",
        "views",
        "FAIL",
    ),
    ("drop trigger scout_append_only on ops.job_runs_audit", "audit", "FAIL"),
    ("alter table scout.seals disable trigger scout_append_only", "audit", "FAIL"),
    ("alter table scout.seals enable trigger scout_append_only", "audit", "FAIL"),
    ("revoke insert on canon.identity_links from scout_writer", "login", "FAIL"),
    ("revoke select on ops.v_dim_scouts from scout_reader", "login", "FAIL"),
    ("grant update on public.module_ct_cabinet_payments to scout_writer", "login", "FAIL"),
    ("update scout.schema_files set checksum = 'x' where version = 2", "schema", "FAIL"),
    ("delete from scout.schema_files where version = 2", "schema", "FAIL"),
    ("insert into scout.schema_files values (999, '999_new.sql', 'x')", "schema", "FAIL"),
    (
        "insert into ops.ingestion_runs (job_type, started_at)"
        " values ('scout_attribution_refresh', now() - interval '2 hours')",
        "runs",
        "WARN",
    ),
    (
        "insert into ops.ingestion_runs (job_type, status, completed_at, error_message)"
        " values ('scout_attribution_refresh', 'FAILED', now(), 'because')",
        "runs",
        "WARN",
    ),
    (
        "insert into scout.data_quality_issues (source_table, source_pk, rule, raw_hash)"
        " values ('observational.lead_events', '1', 'UNREADABLE_SCOUT', 'x')",
        "data",
        "WARN",
    ),
    (
        "alter table public.module_ct_migrations rename column hire_date to hired",
        "sources",
        "WARN",
    ),
    ("drop view ops.v_yango_cabinet_claims_for_collection cascade", "sources", "FAIL"),
    (
        "alter table observational.lead_events rename column event_date to on_date",
        "sources",
        "FAIL",
    ),
]
# What a fresh installation without data is told anyway.
EXPECTED = {
    ("sources", "ops.scout_payment_rules"),
    ("sources", "ops.scout_liquidation_ledger"),
    ("runs", "last refresh"),
    ("time zone", "database"),
}


def examine(url: str, sql_root: Path | None = None, **environ: str) -> list[Finding]:
    root = {"sql_root": sql_root} if sql_root else {}
    with opened(url) as db:
        return doctor.examine(db, settings(**environ), **root)


def wrong(findings: list[Finding]) -> dict[tuple[str, str], Finding]:
    return {(f.layer, f.name): f for f in findings if f.state != "OK"}


def test_a_fresh_installation_is_well(db_url: str) -> None:
    findings = examine(db_url)
    assert {key for key, f in wrong(findings).items() if f.state == "FAIL"} == set()
    assert wrong(findings).keys() <= EXPECTED
    assert {f.layer for f in findings} == {
        "server",
        "sources",
        "login",
        "schemas",
        "files",
        "runs",
        "sequences",
        "time zone",
        "schema",
        "rights",
        "views",
        "indexes",
        "triggers",
        "state",
        "audit",
        "data",
    }


def test_every_finding_is_a_sentence_and_every_trouble_says_what_to_do(db_url: str) -> None:
    run(db_url, "drop view ops.v_dim_scouts cascade", "drop index canon.scout_registry_phone")
    for finding in examine(db_url):
        assert finding.what.endswith("."), finding
        assert finding.todo or finding.state == "OK", finding


@pytest.mark.parametrize(("damage", "layer", "state"), DAMAGES)
def test_a_damage_is_found_in_its_layer(db_url: str, damage: str, layer: str, state: str) -> None:
    before = wrong(examine(db_url))
    run(db_url, damage)
    after = wrong(examine(db_url))
    new = [f for key, f in after.items() if before.get(key) != f]
    assert (layer, state) in {(f.layer, f.state) for f in new}


def test_a_layer_too_damaged_to_be_examined_hides_no_other(db_url: str) -> None:
    run(db_url, "drop table scout.install_facts cascade", "drop table scout.schema_files")
    run(db_url, "create table scout.schema_files ()")
    found = wrong(examine(db_url))
    assert found["time zone", "time zone"].what.startswith("Cannot be examined: relation")
    assert found["schema", "schema"].state == "FAIL"
    assert {f.state for f in examine(db_url) if f.layer == "data"} == {"OK"}


def test_where_the_product_is_not_there_init_is_told(source_db: str) -> None:
    last = examine(source_db)[-1]
    assert (last.layer, last.state) == ("installation", "FAIL")
    assert "init" in last.todo


def test_an_empty_database_is_examined_too(empty_db: str) -> None:
    found = wrong(examine(empty_db))
    assert found["sources", "canon.identity_links"].state == "FAIL"


def test_a_source_that_appeared_since_asks_for_init(source_db: str) -> None:
    init(source_db)
    run(
        source_db,
        "create table ops.scout_payment_rules (id serial, origin_tag varchar,"
        " milestone_value integer, amount numeric(12, 2), is_active boolean)",
    )
    assert wrong(examine(source_db))["views", "scout.src_payment_rules"].todo == doctor.INIT


def test_another_zone_than_the_installed_one_is_found(db_url: str) -> None:
    found = wrong(examine(db_url, SCOUT_SOURCE_TIMEZONE="Pacific/Auckland"))
    assert found["time zone", "setting"].state == "FAIL"


def test_a_database_in_the_zone_of_the_sources_is_well(db_url: str) -> None:
    name = db_url.partition("?")[0].rpartition("/")[2]
    run(db_url, f"alter database {name} set timezone = 'America/Lima'")
    assert ("time zone", "database") not in wrong(examine(db_url))


def test_a_schema_file_that_waits_is_found(db_url: str, tmp_path: Path) -> None:
    tree = sql_tree(tmp_path)
    (tree / "schema" / "900_new.sql").write_text("select 1;")
    assert wrong(examine(db_url, tree))["schema", "900_new.sql"].todo == doctor.INIT


def test_a_read_only_database_is_examined_and_said(db_url: str) -> None:
    name = db_url.partition("?")[0].rpartition("/")[2]
    run(db_url, f"alter database {name} set default_transaction_read_only = on")
    assert wrong(examine(db_url))["server", "writable"].state == "WARN"


def test_an_older_server_ends_the_examination(
    source_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "OLDEST_VERSION", install.OLDEST_VERSION + 900000)
    first = examine(source_db)[0]
    assert (first.name, first.state) == ("version", "FAIL")


def test_a_role_that_can_log_in_is_found(db_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Roles are shared by all tests: the role is not changed, what is read of it is.
    asked = doctor.ask

    def with_login(conn, name, **values):
        rows = asked(conn, name, **values)
        if name != "roles":
            return rows
        return [SimpleNamespace(**{**row._mapping, "rolcanlogin": True}) for row in rows]

    monkeypatch.setattr(doctor, "ask", with_login)
    assert wrong(examine(db_url))["login", "strength of roles"].state == "FAIL"


def test_views_that_this_server_prints_in_other_words_are_well(db_url: str) -> None:
    """As after a restore into another major version: every note of init differs, no view does."""
    run(db_url, "update scout.installed_objects set definition_hash = 'x' where kind = 'view'")
    assert [f for f in wrong(examine(db_url)).values() if f.layer == "views"] == []
    run(db_url, next(damage for damage, _, _ in DAMAGES if "src_drivers_index" in damage))
    (found,) = [f for f in wrong(examine(db_url)).values() if f.layer == "views"]
    assert (found.name, found.state) == ("scout.src_drivers_index", "FAIL")
