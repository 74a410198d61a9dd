"""The views that others rely on: their columns and types, comments, and numbers that reconcile."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text

from scout_core.attribution import coverage
from scout_core.db.database import CHECK, LOOK, Database
from scout_core.install import doctor
from scout_core.job.refresh import plan
from scout_core.settings import load
from tests.support.installing import init, opened, run
from tests.support.looking import (
    CONTRACT,
    Look,
    State,
    look,
    refresh,
    refreshed_demo,
    rows,
    value,
    write,
)

SETTINGS = load({}, dotenv=None)
COLUMNS = """
select a.attname, format_type(a.atttypid, null)
from pg_attribute as a
where a.attrelid = to_regclass(:view) and a.attnum > 0 and not a.attisdropped
"""
TYPES = {
    "person_key": {"uuid"},
    "scout_id": {"integer"},
    "scout_ids": {"integer[]"},
    "source_tables": {"text[]", "character varying[]"},
    "priority": {"integer"},
    "attribution_date": {"date"},
    "first_event_date": {"date"},
    "last_event_date": {"date"},
    "metric_date": {"date"},
    "milestone_date": {"date"},
    "scout_attribution_date": {"date"},
    "created_at": {"timestamp with time zone"},
    "computed_at": {"timestamp with time zone"},
    "snapshot_timestamp": {"timestamp with time zone"},
    "last_job_started_at": {"timestamp with time zone"},
    "last_job_ended_at": {"timestamp with time zone"},
    "lead_created_at": {"timestamp with time zone"},
    "is_conflict": {"boolean"},
    "is_estimated": {"boolean"},
    "is_scout_resolved": {"boolean"},
    "has_scout_in_events": {"boolean"},
    "eligible_7d": {"boolean"},
    "total_persons": {"bigint"},
    "conflicts_count": {"bigint"},
    "event_count": {"bigint"},
    "total_sources": {"bigint"},
    "distinct_scout_count": {"integer", "bigint"},
    "pct_scout_satisfactory": {"numeric"},
    "pct_satisfactory": {"numeric"},
    "amount_payable": {"numeric"},
    "milestone_reached": {"integer"},
    "last_job_summary": {"json", "jsonb"},
}
OPTIONAL_TABLES = (
    "canon.drivers_index",
    "public.module_ct_scouting_daily",
    "public.module_ct_migrations",
    "public.module_ct_scouts_list",
    "public.module_ct_cabinet_payments",
    "public.module_ct_cabinet_leads",
)


@pytest.fixture(scope="module")
def demo_db(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as db:
        yield db


@pytest.fixture(scope="module")
def seen(demo_db: Database) -> Look:
    return look(demo_db)


@pytest.mark.parametrize("view", CONTRACT)
def test_view_has_its_columns_with_sensible_types(demo_db: Database, view: str) -> None:
    found = dict(tuple(row) for row in rows(demo_db, COLUMNS, view=f"ops.{view}"))
    assert [name for name in CONTRACT[view].split() if name not in found] == []
    wrong = {name: kind for name, kind in found.items() if kind not in TYPES.get(name, {kind})}
    assert wrong == {}
    assert len(value(demo_db, f"select obj_description('ops.{view}'::regclass)")) > 20
    # the owner's report, and whoever reads with the reader's rights, see the same
    with demo_db.transaction(LOOK) as conn:
        assert conn.execute(text(f"select count(*) from ops.{view}")).scalar_one() == value(
            demo_db, f"select count(*) from ops.{view}"
        )


def test_every_view_has_rows_in_the_demo(seen: Look) -> None:
    assert [view for view, listed in seen.views.items() if not listed] == []
    for listed in seen.views.values():
        for shown in {type(v) for row in listed for v in row.values()}:
            assert shown in {
                UUID, int, str, bool, float, Decimal, date, datetime, list, dict, type(None),
            }  # fmt: skip


def test_columns_of_the_claims_come_first_and_unchanged(demo_db: Database) -> None:
    claims = "ops.v_yango_cabinet_claims_for_collection"
    own = [row[0] for row in rows(demo_db, COLUMNS, view=claims)]
    ours = rows(demo_db, COLUMNS, view="ops.v_yango_collection_with_scout")
    assert [name for name, _ in ours][: len(own)] == own
    assert (
        dict(map(tuple, ours)).items()
        >= dict(map(tuple, rows(demo_db, COLUMNS, view=claims))).items()
    )
    names = ", ".join(own)
    difference = (
        f"(select {names} from {claims} except all select {names}"
        f" from ops.v_yango_collection_with_scout)"
        f" union all (select {names} from ops.v_yango_collection_with_scout"
        f" except all select {names} from {claims})"
    )
    assert rows(demo_db, difference) == []
    assert value(demo_db, f"select count(*) from {claims}") > 20


def reconciles(db: Database, seen: Look) -> None:
    """Each number of the snapshot is the length of the list that it opens."""
    (numbers,) = seen.views["v_scout_attribution_metrics_snapshot"]
    backlog = seen.views["v_persons_without_scout_categorized"]
    satisfied = (
        "select count(*) from observational.lead_ledger where attributed_scout_id is not null"
    )
    assert numbers["total_persons"] == value(db, "select count(*) from canon.identity_registry")
    assert numbers["persons_with_scout_satisfactory"] == value(db, satisfied)
    assert numbers["persons_missing_scout"] == len(backlog)
    assert numbers["conflicts_count"] == len(seen.views["v_scout_attribution_conflicts"])
    for letter, column in (
        ("A", "backlog_a_events_without_scout"),
        ("D", "backlog_d_scout_in_events_not_in_ledger"),
        ("C", "backlog_c_legacy_no_events_no_ledger"),
    ):
        assert numbers[column] == len([row for row in backlog if row["category"] == letter])
    total, missing = numbers["total_persons"], numbers["persons_missing_scout"]
    assert numbers["persons_with_scout_satisfactory"] + missing == total
    assert len({row["person_key"] for row in backlog}) == len(backlog)
    leads = """
        select person_key from observational.lead_events where person_key is not null
        union select person_key from canon.identity_links where source_table in
        ('module_ct_scouting_daily', 'module_ct_migrations', 'module_ct_cabinet_leads')"""
    assert numbers["lead_persons"] == value(db, f"select count(*) from ({leads}) as l")
    attributed = value(db, f"{satisfied} and person_key in ({leads})")
    if numbers["lead_persons"]:
        share = round(Decimal(100 * attributed) / numbers["lead_persons"], 2)
        assert abs(numbers["pct_scout_satisfactory_leads"] - share) <= Decimal("0.01")
    conflicts = {row["person_key"] for row in seen.views["v_scout_attribution_conflicts"]}
    for view in ("v_scout_attribution", "v_persons_without_scout_categorized"):
        marked = {row["person_key"] for row in seen.rows_of(view, is_conflict=True)}
        assert marked <= conflicts
    assert {row["person_key"] for row in seen.rows_of("v_scout_attribution", is_conflict=True)} == (
        conflicts
    )


def test_numbers_equal_lists_after_a_run_and_between_runs(demo_db: Database, seen: Look) -> None:
    reconciles(demo_db, seen)
    with demo_db.transaction(LOOK) as conn:
        counts = coverage.count_reasons(conn)
        snapshot = coverage.snapshot(conn)
    assert sum(c.person_count for c in counts) == snapshot.persons_missing_scout
    write(
        demo_db,
        "insert into observational.lead_events (source_table, source_pk, event_date, person_key,"
        " scout_id) select 'x', 'between-' || person_key, '2026-01-05', person_key, 3"
        " from canon.identity_registry where person_key::text < '4'",
        "delete from observational.lead_ledger where person_key::text < '1'",
        "update observational.lead_ledger set attributed_scout_id = null"
        " where person_key::text > 'e'",
    )
    changed = look(demo_db)
    reconciles(demo_db, changed)
    view = "v_scout_attribution_metrics_snapshot"
    assert changed.views[view][0]["conflicts_count"] > seen.views[view][0]["conflicts_count"]


def test_categories_have_their_labels(seen: Look) -> None:
    labels = {
        (row["category"], row["category_label"])
        for row in seen.views["v_persons_without_scout_categorized"]
    }
    assert labels == {
        ("A", "EVENTOS_SIN_SCOUT"),
        ("C", "LEGACY"),
        ("D", "SCOUT_EN_EVENTOS_NO_PROPAGADO"),
    }


def test_every_optional_source_absent_is_every_view_empty(source_db: str) -> None:
    tables = (f"drop table {table}" for table in OPTIONAL_TABLES)
    run(source_db, "drop view ops.v_yango_cabinet_claims_for_collection", *tables)
    init(source_db)
    with opened(source_db) as db:
        (numbers,) = look(db).views["v_scout_attribution_metrics_snapshot"]
        assert numbers["total_persons"] == 0
        assert numbers["pct_scout_satisfactory"] is None
        assert numbers["last_job_status"] is None
        assert refresh(db).status == "COMPLETED"
        seen = look(db)
        lengths = {view: len(listed) for view, listed in seen.views.items() if listed}
        assert lengths == {
            "v_scout_attribution_metrics_snapshot": 1,
            "v_scout_attribution_metrics_daily": 31,
        }
        with db.transaction(CHECK) as conn:
            assert plan(conn, SETTINGS).changed_rows == 0
        findings = doctor.examine(db, SETTINGS)
        named = {f.name for f in findings if f.state == "WARN"}
        assert named >= {*OPTIONAL_TABLES, "ops.v_yango_cabinet_claims_for_collection"}
        assert [f for f in findings if f.state == "FAIL"] == []
        # what is left still works: an event is enough
        write(
            db,
            "insert into canon.identity_registry (person_key, confidence_level)"
            " values ('00000000-0000-4000-8000-00000000000a', 'HIGH')",
            "insert into observational.lead_events (source_table, source_pk, event_date,"
            " person_key, scout_id) values ('x', '1', '2026-01-05',"
            " '00000000-0000-4000-8000-00000000000a', 7)",
        )
        refresh(db)
        assert list(look(db).states.values()) == [State(scout=7)]
