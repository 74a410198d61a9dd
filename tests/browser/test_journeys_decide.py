"""The journey of a decision: read the evidence, decide, see it gone, undo it, see it back."""

from tests.support.looking import rows, value

CONFLICT = """
select c.person_key::text, c.scout_ids from ops.v_scout_attribution_conflicts as c
where c.conflict_kind = 'SEVERAL_SCOUTS'
order by c.person_key desc limit 1
"""
OPEN = "select count(*) from ops.v_scout_attribution_conflicts where person_key = :key"


def test_conflict_is_decided_gone_undone_and_back(visit, demo_db):
    key, scouts = rows(demo_db, CONFLICT)[0]
    page = visit.page
    visit.walk(f"/scouts/conflicts?persona={key}")
    for scout in scouts:
        assert visit.says(f"Scout {scout}")
    page.get_by_role("radiogroup", name="¿Quién trajo a esta persona?").get_by_text(
        f"Scout {scouts[0]}"
    ).click()
    page.get_by_role("textbox", name="Nota").fill("los dos lo confirmaron por teléfono")
    page.get_by_role("button", name=f"Asignar al scout {scouts[0]}").click()
    assert visit.says(f"Persona {key[:8]}: scout {scouts[0]}.")
    assert value(demo_db, OPEN, key=key) == 0
    page.get_by_role("link", name="ver o deshacer").click()
    page.wait_for_url("**/runs?run=*")
    visit.settle()
    page.get_by_text("Deshacer", exact=True).click()
    assert visit.says("Deshacer esta corrida")
    assert visit.severe() == []
    page.get_by_role("textbox", name="Por qué").fill("era el otro scout, disculpas")
    page.get_by_role("button", name="Deshacer 1 cambio").click()
    assert visit.says("deshecha por la corrida")
    assert value(demo_db, OPEN, key=key) == 1
    visit.walk(f"/scouts/conflicts?persona={key}")
    assert visit.says("¿Quién trajo a esta persona?")
