"""The checks of the sources on the page of alerts: numbers that open their rows, and check now."""

import pytest

from scout_core.db.database import LOOK, Database
from scout_core.health import source_checks
from tests.support import web
from tests.support.looking import value, write
from ui.alerts.source_checks import detail


def view(**filters: str):
    return web.open_page("alerts", view="quality", **filters)


def test_each_number_opens_as_many_rows(full: Database) -> None:
    with full.transaction(LOOK) as conn:
        results = source_checks.list_results(conn)
    page = view()
    assert not page.exception
    shown = page.dataframe[0].value
    assert sorted(shown["rows"]) == sorted(str(r.last.row_count) for r in results if r.last)
    for result in results[::4]:
        assert result.last is not None
        count = result.last.row_count
        said = web.words(view(check=result.check.name))
        assert (f"{count} de {count} filas" if count else "No encontró ninguna fila.") in said


def test_row_leads_to_its_person_and_the_files_have_its_check(full: Database) -> None:
    page = view(check="shared_phones", language="en")
    said = web.words(page)
    assert "phones 1 · persons 2 · with " in said
    links = str([getattr(block.proto, "url", "") for block in page.get("link_button")])
    assert "/scouts/api/v1/scouts/attribution/quality/rows.csv?check=shared_phones" in links


def test_checks_run_now_and_say_what_they_found(db: Database) -> None:
    with web.on(db):
        page = view()
        assert "Las fuentes aún no se revisaron." in web.words(page)
        page.button(key="quality_run").click().run()
        assert not page.exception
        assert page.toast[0].value == "13 revisiones hechas: 0 filas encontradas."
        assert value(db, "select count(*) from scout.quality_results") == 13
        assert "Ninguna" in web.words(page)


def test_check_that_could_not_be_run_says_why(db: Database) -> None:
    write(db, "drop view scout.v_source_dates")
    with web.on(db):
        view().button(key="quality_run").click().run()
        said = web.words(view(check="future_dates"))
    assert "No se pudo revisar el" in said
    assert "Something is missing in the database" in said


@pytest.mark.parametrize("check", ["<script>'; drop", "x" * 300])
def test_check_that_cannot_be_is_no_error(full: Database, check: str) -> None:
    assert not view(check=check).exception


def test_without_the_database_the_page_says_so() -> None:
    with web.on(None):
        page = view()
    assert not page.exception
    assert "no responde" in web.words(page)


def test_facts_are_words_and_what_is_none_of_ours_stays() -> None:
    assert detail("first_row=17; rows=3") == "primera fila 17 · filas 3"
    assert detail("rule=SIMILAR_KEY") == "Clave parecida a scout_id"
    assert detail("value=a; b=c") == "a; b=c"
    assert detail("other=1") == "other=1"
