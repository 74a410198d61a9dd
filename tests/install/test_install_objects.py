"""Indexes and change tracking on the owner's tables."""

import threading
import time

import pytest

from scout_core.install import table_objects as install_objects
from scout_core.install.tree import SQL_ROOT, table_objects
from tests.support import factories
from tests.support.installing import column, connection, init, run, value

INDEXES = {index.name for index in table_objects(SQL_ROOT, "indexes")}
EXTERNAL = (
    "select old_attributed_scout_id || '>' || new_attributed_scout_id"
    " from ops.lead_ledger_scout_backfill_audit where backfill_method = 'EXTERNAL_CHANGE'"
)


def valid_indexes(url: str) -> set[str]:
    names = column(
        url,
        "select c.relname::text from pg_index as i join pg_class as c on c.oid = i.indexrelid"
        " where i.indisvalid and c.relname like 'scout_%'",
    )
    return set(names) & INDEXES


def test_every_index_is_built_valid(db_url: str) -> None:
    assert valid_indexes(db_url) == INDEXES


def test_a_lost_or_half_built_index_is_built_again(db_url: str) -> None:
    run(
        db_url,
        "drop index canon.scout_identity_links_person",
        "update pg_index set indisvalid = false"
        " where indexrelid = 'canon.scout_registry_phone'::regclass",
    )
    init(db_url)
    assert valid_indexes(db_url) == INDEXES


def test_an_index_that_cannot_be_built_is_said_and_leaves_nothing_behind(source_db: str) -> None:
    init(source_db)
    run(
        source_db,
        "drop index ops.scout_one_refresh_running",
        "insert into ops.ingestion_runs (job_type) values"
        " ('scout_attribution_refresh'), ('scout_attribution_refresh')",
    )
    report = init(source_db)
    assert [line for line in report.lost if "scout_one_refresh_running" in line]
    assert value(source_db, "select to_regclass('ops.scout_one_refresh_running')") is None


def test_two_running_refreshes_are_refused_by_the_database(db_url: str) -> None:
    one = "insert into ops.ingestion_runs (job_type) values ('scout_attribution_refresh')"
    run(db_url, one, "insert into ops.ingestion_runs (job_type) values ('identity_run')")
    with pytest.raises(Exception, match="scout_one_refresh_running"):
        run(db_url, one)


def test_a_scout_set_by_hand_is_recorded(db_url: str) -> None:
    with connection(db_url) as conn:
        ana = factories.person(conn)
        factories.ledger(conn, person=ana, scout=7)
    run(
        db_url,
        f"update observational.lead_ledger set attributed_scout_id = 9 where person_key = '{ana}'",
    )
    assert column(db_url, EXTERNAL) == [None, "7>9"]


def test_a_disabled_trigger_is_enabled_again(db_url: str) -> None:
    run(db_url, "alter table observational.lead_ledger disable trigger scout_track_update")
    init(db_url)
    enabled = "select tgenabled::text from pg_trigger where tgname = 'scout_track_update'"
    assert value(db_url, enabled) == "O"


def test_a_table_that_stays_locked_costs_a_trigger_and_not_the_installation(
    db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install_objects, "_TRIGGER_LOCK_SECONDS", 1)
    monkeypatch.setattr(install_objects, "_TRIES", 1)
    run(db_url, "drop trigger scout_track_delete on observational.lead_ledger")
    is_locked, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with connection(db_url) as conn:
            conn.exec_driver_sql("lock table observational.lead_ledger in row exclusive mode")
            is_locked.set()
            may_end.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    is_locked.wait(10)
    started = time.monotonic()
    report = init(db_url)
    may_end.set()
    holder.join()
    assert time.monotonic() - started < 20
    assert [line for line in report.lost if "scout_track_delete" in line]
    assert init(db_url).lost == ()
