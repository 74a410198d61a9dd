"""uninstall: what goes, what stays, and what stops it."""

from uuid import UUID

import pytest

from scout_core.db.database import Database
from scout_core.decide.undo import run_undo
from scout_core.errors import ForeignObject
from scout_core.install.session import InstallReport
from scout_core.install.uninstall import uninstall
from tests.support import catalog, factories
from tests.support.installing import column, connection, init, opened, run, value
from tests.support.job import OPERATOR, broken, decide, key, refresh, rows, scouts, story


def take_away(url: str) -> InstallReport:
    with opened(url) as db:
        return uninstall(db, report=lambda _: None)


def audit_rows(url: str) -> set[tuple[str, str]]:
    return {
        (table, row)
        for table in ("lead_ledger_scout_backfill_audit", "identity_links_backfill_audit")
        for (row,) in rows(url, f"select a::text from ops.{table} as a")
    }


def definitions(url: str) -> dict[str, str]:
    with connection(url) as conn:
        return catalog.definitions(conn)


def test_sources_and_audit_rows_stay_and_a_new_installation_takes_them_up(db_url: str) -> None:
    with connection(db_url) as conn:
        ana = factories.person(conn)
        factories.ledger(conn, person=ana, scout=7)
    audit = "select new_attributed_scout_id from ops.lead_ledger_scout_backfill_audit"
    before = definitions(db_url)
    assert column(db_url, audit) == [7]
    take_away(db_url)
    assert column(db_url, audit) == [7]
    assert value(db_url, "select attributed_scout_id from observational.lead_ledger") == 7
    assert value(db_url, "select to_regnamespace('scout')") is None
    init(db_url)
    assert column(db_url, audit) == [7]
    assert catalog.difference(before, definitions(db_url)) == {}


def test_decided_ledger_stays_sound_under_a_new_installation_and_what_is_forgotten_is_said(
    db: Database, db_url: str
) -> None:
    story(db_url)
    first = refresh(db)
    carla, dora, beto = (str(key(name)) for name in ("carla", "dora", "beto"))
    decide(db, "carla", 9)
    decide(db, "dora", None)
    run_undo(db, actor=OPERATOR, run_id=first.run_id, reason="the wrong file was loaded")
    decided = scouts(db_url)
    assert (decided[UUID(carla)], decided[UUID(dora)], decided.get(UUID(beto))) == (9, None, None)
    kept = audit_rows(db_url)
    db.dispose()

    done = " ".join(take_away(db_url).done)
    assert "2 decisions in force and 5 holds" in done
    assert audit_rows(db_url) == kept
    init(db_url)
    db.forget()
    assert scouts(db_url) == decided
    assert audit_rows(db_url) == kept
    assert broken(db) == {}

    refresh(db, force=True, reason="all of them are wanted back")
    assert scouts(db_url)[UUID(carla)] == 9  # what a person gave is in the ledger and stays
    assert scouts(db_url)[UUID(beto)] == 8  # what was held is written again, as was said
    assert audit_rows(db_url) > kept
    assert broken(db) == {}


@pytest.mark.parametrize(
    ("foreign", "named"),
    [
        ("create view public.theirs as select person_key from ops.v_scout_attribution", "theirs"),
        ("create view public.theirs as select run_id from scout.runs", "theirs"),
        (
            "create table public.theirs (phone text default scout.phone_key('999888777'))",
            "default value for column phone of table public.theirs",
        ),
        (
            "create index theirs on canon.identity_registry (scout.phone_key(primary_document))",
            "index canon.theirs",
        ),
    ],
)
def test_what_others_built_on_ours_stops_it_before_anything_is_gone(
    db_url: str, foreign: str, named: str
) -> None:
    run(db_url, foreign)
    before = definitions(db_url)
    with pytest.raises(ForeignObject, match=named):
        take_away(db_url)
    assert catalog.difference(before, definitions(db_url)) == {}


def test_a_grant_of_ours_to_somebody_is_no_obstacle(db_url: str) -> None:
    run(db_url, "grant select on all tables in schema scout, ops to pg_monitor")
    assert not take_away(db_url).is_nothing


def test_a_second_time_does_nothing(db_url: str) -> None:
    take_away(db_url)
    before = definitions(db_url)
    assert take_away(db_url).is_nothing
    assert catalog.difference(before, definitions(db_url)) == {}


def test_nothing_is_done_where_the_product_never_was(source_db: str) -> None:
    before = definitions(source_db)
    assert take_away(source_db).is_nothing
    assert catalog.difference(before, definitions(source_db)) == {}


def test_what_stays_is_said(db_url: str) -> None:
    report = take_away(db_url)
    assert any(line.startswith("Kept the audit tables") for line in report.done)
    assert any(line.startswith("The labels added") for line in report.lost)
