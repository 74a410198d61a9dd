"""The page of the runs: history, one run, the plan, the audit, the checks."""

import pytest

from scout_core.db.database import ADMIN
from scout_core.health import invariants
from tests.support import factories, web
from tests.support.looking import installed as new_database
from tests.support.looking import value
from ui.parts.text import LIMIT, catalogue

NEWEST = "select max(run_id) from scout.v_runs"


def table(page, column: str):
    return next(d.value for d in page.dataframe if column in d.value)


def test_history_lists_every_run_newest_first(full):
    page = web.open_page("runs")
    total = value(full, "select count(*) from scout.v_runs")
    assert f"{total} corridas" in web.words(page)
    assert int(table(page, "trigger")["run"][0]) == value(full, NEWEST)


def test_state_and_origin_are_filters(full):
    for name, given in (("status", "FAILED"), ("trigger", "manual"), ("trigger", "cron")):
        count = value(full, f"select count(*) from scout.v_runs where {name} = :given", given=given)
        page = web.open_page("runs", **{name: given})
        assert f"{count} corridas" in web.words(page)


def test_filter_without_runs_says_so_and_can_be_taken_away(full):
    page = web.open_page("runs", kind="undo")
    assert "Ninguna corrida con estos filtros." in web.words(page)
    page.button(key="clear_filters").click().run()
    assert "Ninguna corrida" not in web.words(page)


def test_run_of_the_link_is_told_with_reasons_audit_and_seal(full):
    run = value(full, NEWEST)
    page = web.open_page("runs", run=str(run))
    said = web.words(page)
    assert f"Corrida {run}" in said
    assert "Sello " in said
    written = table(page, "table")
    audited = value(
        full,
        "select (select count(*) from ops.identity_links_backfill_audit as a"
        " where a.ingestion_run_id = :r)"
        " + (select count(*) from ops.lead_ledger_scout_backfill_audit as a"
        " where a.ingestion_run_id = :r)",
        r=run,
    )
    assert sum(int(count.replace(",", "")) for count in written["rows"]) == audited
    steps = table(page, "seen")
    reasons = table(page, "what")
    left = reasons[reasons["what"] == "Dejado"]["rows"].astype(int).sum()
    assert left == steps["left"].replace("—", "0").astype(int).sum()


def test_run_that_there_is_not_is_said_plainly(full):
    run = "2147483647"
    assert f"No hay ninguna corrida {run}." in web.words(web.open_page("runs", run=run))


@pytest.mark.parametrize("run", ["0", "9" * 40, "٣"])
def test_run_that_cannot_be_counts_as_not_given(full, run):
    page = web.open_page("runs", run=run, view="Z", kind="Z", days="2026-99-99_x")
    assert not page.exception
    assert "Sello" not in web.words(page)


def test_first_run_is_asked_for(empty):
    said = web.words(web.open_page("runs"))
    assert "Aún no hay ninguna corrida." in said
    assert "barra lateral" in said


def test_plan_is_made_when_asked_for_and_adds_up(full):
    page = web.open_page("runs", view="plan")
    assert "Por regla y motivo" not in web.words(page)
    page.button(key="runs_plan_make").click().run()
    assert not page.exception
    assert "Nada que cambiar." in web.words(page)


def test_plan_tells_each_row_and_what_it_leaves(server_url):
    with new_database(server_url) as database:
        with database.transaction(ADMIN) as conn:
            factories.person(conn, license="Q10000001")
            for license in ("Q10000001", "Q20000002", "Q20000002"):
                factories.person(conn, license="Q20000002")
                factories.scouting_row(conn, scout=7, license=license)
        with web.on(database):
            page = web.open_page("runs", view="plan").button(key="runs_plan_make").click().run()
    rules = table(page, "rule")
    counts = {(row.what, row.rule): int(row.rows) for row in rules.itertuples()}
    assert counts["Enlazar", "Por licencia"] == 1
    assert counts["Dejar sin enlazar", "Licencia de varias personas"] == 2
    rows = next(d.value for d in page.dataframe if {"row", "what"} <= set(d.value))
    assert sorted(rows["what"]) == ["Dejar sin enlazar", "Dejar sin enlazar", "Enlazar"]


def test_plan_of_an_empty_database_changes_nothing(empty):
    page = web.open_page("runs", view="plan").button(key="runs_plan_make").click().run()
    assert "Nada que cambiar." in web.words(page)
    assert not page.dataframe


def test_audit_of_a_run_and_rule_shows_exactly_its_rows(full):
    run = value(full, NEWEST)
    count = value(
        full,
        "select count(*) from ops.identity_links_backfill_audit"
        " where ingestion_run_id = :r and match_method = 'BACKFILL_LICENSE_MATCH'",
        r=run,
    )
    page = web.open_page(
        "runs", view="audit", table="links", run=str(run), method="BACKFILL_LICENSE_MATCH"
    )
    assert f"{count} filas" in web.words(page)
    assert set(table(page, "action")["action"]) == {"Enlazada"}
    none = web.open_page("runs", view="audit", table="links", run="x")
    assert "Ninguna fila con estos filtros." in web.words(none)


@pytest.mark.parametrize("text", ["%", "'; drop table x --", "<script>é"])
def test_audit_filter_that_nothing_meets_is_a_sentence(full, text):
    page = web.open_page("runs", view="audit", q=text, actor=text)
    assert not page.exception
    assert "Ninguna fila con estos filtros." in web.words(page)


def test_audit_of_an_empty_database_says_what_fills_it(empty):
    assert "Se llena con la primera corrida" in web.words(web.open_page("runs", view="audit"))


def test_checks_are_made_when_asked_for_and_each_has_its_words(full):
    page = web.open_page("runs", view="checks")
    assert not page.dataframe
    page.button(key="runs_checks_run").click().run()
    assert "todo se cumple" in web.words(page)
    assert len(table(page, "check")) == len(invariants.names())
    for name in invariants.names():
        for words in catalogue()[f"runs.check_{name}"]:
            assert len(words) <= LIMIT


def test_cursor_of_another_list_is_a_bad_link_and_no_error(full):
    page = web.open_page("runs", after="x")
    assert not page.exception
    assert "El enlace no se puede leer" in web.words(page)
