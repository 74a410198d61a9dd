"""Journeys over all pages and from health: number to rows, job, language, keyboard."""

import re

from tests.support.browser import PHONE
from tests.support.looking import value
from ui.parts import site
from ui.parts.text import catalogue


def test_every_page_has_its_link_and_address_and_no_serious_fault_of_access(visitor):
    visit = visitor()
    visit.open("/")
    assert visit.page.url.endswith("/scouts/attribution-health")
    assert visit.page.title() == "Salud de atribución · Scouts Yango"
    found: list[tuple[str, str]] = []
    for place in site.PLACES:
        title = catalogue()[f"common.page_{place.name}"][0]
        visit.page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
        visit.page.wait_for_url(f"**/scouts/{place.address}")
        visit.page.get_by_role("heading", name=title, exact=True, level=1).wait_for()
        visit.settle()
        found += [(place.name, fault) for fault in visit.severe()]
    assert found == []


def test_every_page_fits_a_phone_in_the_dark(visitor, demo_db):
    person = value(demo_db, "select min(person_key::text) from ops.v_scout_attribution_conflicts")
    visit = visitor(dark=True, size=PHONE)
    found: list[tuple[str, str]] = []
    for at in [
        *(f"{place.address}?" for place in site.PLACES),
        f"persona?key={person}&",
        f"conflicts?persona={person}&",
    ]:
        visit.walk(f"/scouts/{at}lang=en")
        found += [(at, fault) for fault in visit.severe()]
        found += [(at, "is sideways")] * visit.is_sideways
    assert visit.says("The job leaves it alone:")
    assert found == []


def test_a_number_leads_to_its_rows_and_back(visit, demo_db):
    visit.walk("/scouts/attribution-health")
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


def test_a_chosen_category_stays_in_the_address(visit):
    visit.walk("/scouts/attribution-health")
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


def test_the_page_refreshes_itself_under_the_keyboard_which_shows_where_it_is(visit):
    visit.walk("/scouts/attribution-health")
    time_of = re.compile(r"Datos al .*\d\d:\d\d:\d\d")
    first = visit.page.get_by_text(time_of).inner_text()
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
    visit.page.wait_for_function(
        "first => ![...document.querySelectorAll('p')].some(p => p.innerText === first)",
        arg=first,
        timeout=40_000,
    )
    assert visit.page.get_by_text(time_of).inner_text() > first


def test_run_now_pressed_twice_is_one_run_and_tells_how_it_went(visit, demo_db):
    def runs():
        return value(demo_db, "select count(*) from scout.v_runs where request_id like 'web-%'")

    before = runs()
    visit.walk("/scouts/alerts")
    visit.page.get_by_role("button", name="Ejecutar ahora").dblclick()
    assert visit.says("Corrida pedida.")
    visit.page.get_by_text(re.compile(r"^Corrida \d+: ")).first.wait_for()
    assert runs() == before + 1
    assert value(demo_db, "select status from scout.v_runs order by run_id desc limit 1") == (
        "COMPLETED"
    )
    visit.settle()
    assert visit.page.get_by_role("button", name="Ejecutar ahora").is_enabled()


def test_the_language_changes_everything_and_stays_with_reload_link_and_next_page(visitor):
    visit = visitor()
    visit.open("/scouts/alerts?rule=SIMILAR_KEY")
    visit.page.get_by_text("EN", exact=True).click()
    visit.page.wait_for_url("**/alerts?rule=SIMILAR_KEY&lang=en")
    assert visit.says("What asks for attention") or visit.says("Alerts")
    steps = visit.page.evaluate("history.length")
    visit.page.get_by_role("link", name="Backlog").click()
    visit.page.wait_for_url("**/scouts/backlog?lang=en")
    visit.settle()
    assert visit.page.evaluate("history.length") == steps + 1
    visit.page.reload()
    visit.settle()
    assert visit.says("Attribution health")
    visit.page.go_back()
    visit.page.wait_for_url("**/alerts?rule=SIMILAR_KEY&lang=en")
    visit.settle()
    visit.page.get_by_text("ES", exact=True).click()
    visit.page.wait_for_url("**/alerts?rule=SIMILAR_KEY")
    assert visit.says("Salud de atribución")
