"""Journeys from the health page: open it, follow a number, run the job, change the language."""

import re

import pytest

from tests.support.browser import PHONE
from tests.support.looking import value
from ui import site


def test_the_address_of_the_server_leads_to_the_health_page(visitor):
    visit = visitor()
    visit.open("/")
    assert visit.page.url.endswith("/scouts/attribution-health")
    assert visit.page.locator("h1").inner_text() == "Salud de atribución"
    assert visit.page.title() == "Salud de atribución · Scouts Yango"


@pytest.mark.parametrize("place", site.PLACES, ids=lambda p: p.address)
def test_each_page_has_an_address_and_no_serious_fault_of_access(visitor, place):
    visit = visitor()
    visit.open(f"/scouts/{place.address}")
    assert visit.page.url.endswith(f"/scouts/{place.address}")
    assert visit.severe() == []


@pytest.mark.parametrize("place", site.PLACES, ids=lambda p: p.address)
def test_each_page_is_readable_in_the_dark_on_a_phone(visitor, place):
    visit = visitor(dark=True, size=PHONE)
    visit.open(f"/scouts/{place.address}?lang=en")
    assert not visit.is_sideways
    assert visit.severe() == []


def test_a_number_leads_to_its_rows_and_back(visitor, demo_db):
    visit = visitor()
    visit.open("/scouts/attribution-health")
    count = value(demo_db, "select count(*) from ops.v_scout_attribution_conflicts")
    assert f"Conflictos abiertos: {count}" in visit.page.locator("body").inner_text()
    visit.page.locator('a[href$="/scouts/conflicts"]').last.click()
    visit.page.wait_for_url("**/scouts/conflicts")
    visit.settle()
    assert visit.page.locator("h1").inner_text() == "Conflictos"
    visit.page.go_back()
    visit.page.wait_for_url("**/scouts/attribution-health")
    visit.settle()
    assert visit.page.locator("h1").inner_text() == "Salud de atribución"


def test_a_chosen_category_stays_in_the_address(visitor):
    visit = visitor()
    visit.open("/scouts/attribution-health")
    visit.page.get_by_text(re.compile(r"^D \d")).click()
    visit.page.wait_for_url("**?cat=D")
    visit.page.reload()
    visit.settle()
    assert visit.page.get_by_role("radio", name=re.compile(r"^D \d")).is_checked()
    visit.page.get_by_text(re.compile(r"^A \d")).click()
    visit.page.wait_for_url("**?cat=A")
    visit.page.go_back()
    visit.page.wait_for_url("**?cat=D")
    visit.settle()
    assert visit.page.get_by_role("radio", name=re.compile(r"^D \d")).is_checked()


def test_run_now_pressed_twice_is_one_run_and_tells_how_it_went(visitor, demo_db):
    def runs():
        return value(demo_db, "select count(*) from scout.v_runs where request_id like 'web-%'")

    before = runs()
    visit = visitor()
    visit.open("/scouts/alerts")
    visit.page.get_by_role("button", name="Ejecutar ahora").dblclick()
    assert visit.says("Corrida iniciada.")
    visit.page.get_by_text(re.compile(r"^Corrida \d+: ")).first.wait_for()
    assert runs() == before + 1
    assert value(demo_db, "select status from scout.v_runs order by run_id desc limit 1") == (
        "COMPLETED"
    )
    visit.settle()
    assert visit.page.get_by_role("button", name="Ejecutar ahora").is_enabled()


def test_the_language_changes_everything_and_stays_on_the_next_page(visitor):
    visit = visitor()
    visit.open("/scouts/attribution-health")
    visit.page.get_by_text("EN", exact=True).click()
    assert visit.says("Attribution health")
    visit.settle()
    visit.page.get_by_role("link", name="Backlog").click()
    visit.page.wait_for_url("**/scouts/backlog**")
    visit.settle()
    assert visit.page.locator("h1").inner_text() == "Backlog"
    visit.page.reload()
    visit.settle()


def test_the_page_refreshes_itself_without_a_reload(visitor):
    visit = visitor()
    visit.open("/scouts/attribution-health")
    time_of = re.compile(r"Datos al .*\d\d:\d\d:\d\d")
    first = visit.page.get_by_text(time_of).inner_text()
    visit.page.wait_for_function(
        "first => ![...document.querySelectorAll('p')].some(p => p.innerText === first)",
        arg=first,
        timeout=40_000,
    )
    assert visit.page.get_by_text(time_of).inner_text() > first


def test_the_keyboard_reaches_the_controls_and_shows_where_it_is(visitor):
    visit = visitor()
    visit.open("/scouts/attribution-health")
    reached = set()
    for _ in range(60):
        visit.page.keyboard.press("Tab")
        name, seen = visit.page.evaluate(
            """() => {
                const at = document.activeElement, style = getComputedStyle(at);
                const around = getComputedStyle(at.parentElement);
                const seen = [style, around].some(s => s.outlineStyle !== 'none'
                    || s.boxShadow !== 'none' || s.borderStyle !== 'none'
                    || s.backgroundColor !== 'rgba(0, 0, 0, 0)');
                return [(at.innerText || at.ariaLabel || at.tagName).trim(), seen];
            }"""
        )
        # a part of the page that scrolls is reached too, and is its whole text; a table is drawn
        # on a canvas with the frame of its cell
        if name and len(name) < 200 and name not in {"BODY", "HTML", "CANVAS"}:
            assert seen, name
        reached.add(name)
    for control in ("Ejecutar ahora", "Conflictos", "Ver historial"):
        # an icon stands before or after the words as its name
        assert any(control in name for name in reached), control
