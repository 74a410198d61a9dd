"""uninstall: what goes, what stays, and what stops it."""

import pytest

from scout_core.errors import ForeignObject
from scout_core.installer import InstallReport
from scout_core.uninstall import uninstall
from tests.support import catalog, factories
from tests.support.installing import column, connection, init, opened, run, value


def take_away(url: str) -> InstallReport:
    with opened(url) as db:
        return uninstall(db, report=lambda _: None)


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
