"""Journeys through the lists: filter, send the link, follow a number, export and read the file."""

import csv
import io
import re

import pytest

from scout_core.attribution import conflicts
from scout_core.db.database import LOOK
from scout_core.export import neutral
from tests.browser.test_journeys_persons import choose_row
from tests.support import xlsx
from tests.support.looking import rows, value

FIRST = (
    "select c.person_key::text, c.conflict_kind from ops.v_scout_attribution_conflicts as c"
    " order by c.last_event_date desc nulls last, c.person_key desc limit 1"
)


def listed(database, **filters):
    with database.transaction(LOOK) as conn:
        return conflicts.list_open(conn, conflicts.ConflictFilters(**filters)).rows


def pick(visit, label, option):
    """Choose an option of a select box by what it shows."""
    visit.page.get_by_role("combobox", name=re.compile(rf"\b{label}$|^{label}")).first.click()
    visit.page.get_by_role("option", name=option, exact=True).click()
    visit.settle()


def exported(visit, form):
    """The file of the export menu."""
    visit.page.get_by_role("button", name=re.compile("^.*Exportar [\\d,]+ filas")).first.click()
    link = visit.page.get_by_role("link", name=re.compile(f"en {form}$"))
    # of the new tab that it opens, the download would be the only event
    link.evaluate("a => a.removeAttribute('target')")
    with visit.page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.startswith("conflicts-")
    return download.value.path().read_bytes()


def test_conflicts_are_filtered_sent_as_a_link_and_exported(visit, demo_db):
    kind = rows(demo_db, FIRST)[0][1]
    words = {
        "SEVERAL_SCOUTS": "Varios scouts", "CONTRADICTS_LEDGER": "Contradice al ledger",
        "NEW_EVIDENCE": "Evidencia nueva",
    }  # fmt: skip
    expected = listed(demo_db, conflict_kind=kind)
    visit.walk("/scouts/conflicts")
    pick(visit, "Tipo", words[kind])
    visit.page.wait_for_url(f"**/conflicts?kind={kind}")
    visit.page.reload()
    visit.settle()
    assert visit.says(f"{len(expected)} de {len(expected)} filas")
    text = exported(visit, "CSV").decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))
    assert table[0][0] == "Clave de persona"
    assert [line[0] for line in table[1:]] == [
        neutral.neutralise(row.person_key) for row in expected
    ]
    visit.page.keyboard.press("Escape")
    visit.walk(f"/scouts/conflicts?kind={kind}")
    (sheet,) = xlsx.sheets(exported(visit, "Excel"))
    assert [line[0] for line in sheet[1:]] == [row.person_key for row in expected]


def test_chosen_row_shows_its_scouts_and_stays_with_the_link(visit, visitor, demo_db):
    row = listed(demo_db)[0]
    visit.walk("/scouts/conflicts")
    assert visit.says("Elige una fila")
    choose_row(visit.page, 0, 0)
    visit.page.wait_for_url(f"**/conflicts?persona={row.person_key}")
    assert visit.says("El job no la toca:")
    assert visit.severe() == []
    other = visitor()
    other.open(f"/scouts/conflicts?persona={row.person_key}")
    assert other.says(f"Persona {row.person_key[:8]}")
    for scout in row.scout_ids:
        assert other.says(f"Scout {scout}")
    other.page.get_by_role("link", name="Ver historia completa").click()
    other.page.wait_for_url(f"**/persona?key={row.person_key}")


def test_reason_of_the_backlog_opens_its_rows_and_the_next_page_has_an_address(visit, demo_db):
    count = value(
        demo_db,
        "select count(*) from ops.v_persons_without_scout_categorized where category = 'C'"
        " and reason_code = 'NO_EVENTS'",
    )
    visit.walk("/scouts/backlog?cat=C")
    table = visit.page.get_by_test_id("stDataFrame").first
    table.locator("canvas").first.wait_for()
    visit.page.wait_for_timeout(500)
    box = table.bounding_box()
    visit.page.mouse.click(box["x"] + box["width"] - 50, box["y"] + 35 + 17)
    visit.page.wait_for_url("**reason=NO_EVENTS**")
    visit.settle()
    assert visit.says(f"50 de {count} filas")
    visit.page.get_by_role("button", name="Siguientes").click()
    visit.page.wait_for_url("**after=**")
    visit.settle()
    address = visit.page.url
    visit.page.reload()
    visit.settle()
    assert visit.page.url == address
    assert visit.page.get_by_role("button", name="Anteriores").is_enabled()


@pytest.mark.parametrize("page", ["cobranza-yango", "liquidation"])
def test_money_pages_have_no_serious_fault_with_a_filter_that_finds_nothing(visit, page):
    visit.walk(f"/scouts/{page}?q=zz")
    assert visit.says("Ninguna fila con")
    assert visit.severe() == []
    visit.page.get_by_role("button", name="Quitar filtros").click()
    visit.settle()
    assert "q=" not in visit.page.url
    assert not visit.page.get_by_text("Ninguna fila con").count()


def test_card_of_the_collection_opens_its_rows(visit):
    visit.walk("/scouts/cobranza-yango")
    visit.page.get_by_role("button", name="Ver filas").nth(1).click()
    visit.page.wait_for_url("**unpaid=1**")
    visit.settle()
    assert "missing=1" in visit.page.url
    assert visit.page.get_by_role("switch", name="Solo sin scout").is_checked() or (
        visit.page.get_by_role("checkbox", name="Solo sin scout").is_checked()
    )
