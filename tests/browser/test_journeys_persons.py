"""Journeys to a person: found by phone, explained, reached from a scout, a run and an alert."""

import re

from playwright.sync_api import Page

from tests.support.browser import Visit
from tests.support.looking import rows, value

CONFLICT = """
select c.person_key::text, c.scout_ids from ops.v_scout_attribution_conflicts as c
order by c.person_key limit 1
"""
FOUND_BY_PHONE = """
select r.person_key::text, scout.phone_key(r.primary_phone)
from canon.identity_registry as r
where scout.phone_key(r.primary_phone) is not null and 1 = (
    select count(distinct k.person_key) from scout.v_person_keys as k
    where k.phone_key = scout.phone_key(r.primary_phone) collate "C"
)
order by r.person_key limit 1
"""


def search(visit: Visit, wanted: str) -> None:
    box = visit.page.get_by_role("textbox", name="Buscar persona")
    box.fill(wanted)
    box.press("Enter")


def choose_row(page: Page, table: int, row: int) -> None:
    """Tick the box of a row; tables are drawn on a canvas, which cannot be asked for a row."""
    shown = page.get_by_test_id("stDataFrame").nth(table)
    shown.scroll_into_view_if_needed()
    shown.locator("canvas").first.wait_for()
    page.wait_for_timeout(500)
    box = shown.bounding_box()
    page.mouse.click(box["x"] + 18, box["y"] + 35 * (row + 1) + 17)


def test_person_is_found_by_phone_in_another_form_and_the_address_holds_the_key_alone(
    visit, demo_db
):
    key, phone = rows(demo_db, FOUND_BY_PHONE)[0]
    visit.walk("/scouts/persona")
    search(visit, f"+51 {phone[:3]}-{phone[3:6]}-{phone[6:]}")
    visit.page.wait_for_url(f"**/persona?key={key}")
    assert visit.says("Historia")
    assert phone not in visit.page.url
    assert phone not in visit.page.content()
    visit.page.reload()
    visit.settle()
    assert visit.says("Historia")


def test_person_in_conflict_is_explained_and_leads_to_the_decision_and_back(visit, demo_db):
    key, _ = rows(demo_db, CONFLICT)[0]
    visit.walk(f"/scouts/persona?key={key}")
    assert visit.says("Próxima acción: decidir el conflicto.")
    assert visit.says("Se abrió el conflicto")
    assert visit.severe() == []
    visit.page.get_by_role("button", name="Decidir el conflicto").click()
    visit.page.wait_for_url(f"**/conflicts?persona={key}")
    visit.settle()
    visit.page.go_back()
    visit.page.wait_for_url(f"**/persona?key={key}")
    assert visit.says("Próxima acción: decidir el conflicto.")


def test_search_that_finds_nobody_says_so_and_the_next_one_works(visit, demo_db):
    visit.walk("/scouts/persona")
    search(visit, "<img src=x onerror=alert(1)>")
    assert visit.says("Nadie tiene esa clave, teléfono, licencia ni nombre.")
    search(visit, "%")
    assert visit.says("Escribe al menos tres letras o cifras.")
    search(visit, value(demo_db, "select min(person_key::text) from canon.identity_registry"))
    visit.page.wait_for_url("**/persona?key=*")


def test_scout_is_followed_to_its_conflicts(visit, demo_db):
    _, scouts = rows(demo_db, CONFLICT)[0]
    count = value(
        demo_db,
        "select count(*) from ops.v_scout_attribution_conflicts where :s = any(scout_ids)",
        s=scouts[0],
    )
    visit.walk(f"/scouts/scouts?scout={scouts[0]}")
    metric = visit.page.get_by_test_id("stMetric").filter(has_text="Conflictos abiertos")
    assert metric.get_by_test_id("stMetricValue").inner_text() == str(count)
    assert visit.severe() == []
    visit.page.get_by_role("button", name="Ver conflictos").click()
    visit.page.wait_for_url(f"**/conflicts?scout={scouts[0]}")
    visit.settle()


def test_pair_of_scouts_opens_its_persons(visit, demo_db):
    key, scouts = rows(demo_db, CONFLICT)[0]
    visit.walk(f"/scouts/scouts?pair={scouts[0]}-{scouts[1]}")
    assert visit.says(f"Conflictos de {scouts[0]} con {scouts[1]}")
    choose_row(visit.page, 2, 0)
    visit.page.wait_for_url(f"**/persona?key={key}")


def test_run_is_opened_and_its_audit_rows_followed(visit, demo_db):
    run = value(
        demo_db,
        "select max(ingestion_run_id) from ops.identity_links_backfill_audit",
    )
    visit.walk(f"/scouts/runs?run={run}")
    assert visit.says(f"Corrida {run}")
    assert visit.says("Sello ")
    assert visit.severe() == []
    choose_row(visit.page, 2, 0)
    visit.page.wait_for_url(f"**/runs?view=audit&table=*&run={run}&method=*")
    assert visit.says("Solo crece")
    visit.page.go_back()
    visit.page.wait_for_url(f"**/runs?run={run}")
    assert visit.says("Sello ")


def test_plan_is_worked_out_on_demand(visit):
    visit.walk("/scouts/runs?view=plan")
    visit.page.get_by_role("button", name="Calcular el plan").click()
    assert visit.says("Plan de las")
    visit.settle()
    assert visit.severe() == []


def test_alert_is_opened_closed_and_left_by_the_back_button(visit):
    visit.walk("/scouts/alerts")
    choose_row(visit.page, 0, 0)
    visit.page.wait_for_url("**/alerts?rule=*")
    visit.settle()
    choose_row(visit.page, 1, 0)
    visit.page.wait_for_url("**/alerts?*alert=*")
    assert visit.says("Historia")
    visit.page.get_by_role("button", name="Cerrar").click()
    visit.page.wait_for_url(re.compile(r"/alerts\?rule=\w+$"))
    visit.settle()
    assert visit.page.get_by_role("button", name="Cerrar").count() == 0
    choose_row(visit.page, 1, 1)
    visit.page.wait_for_url("**/alerts?*alert=*")
    visit.settle()
    visit.page.go_back()
    visit.page.wait_for_url(re.compile(r"/alerts\?rule=\w+$"))
    visit.settle()
    assert visit.page.get_by_role("button", name="Cerrar").count() == 0
