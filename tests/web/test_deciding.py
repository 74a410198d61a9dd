"""Pages that write: decide, undo, release, review; who may, and who was too late."""

import pytest

from scout_core.access.permissions import Actor
from tests.support import factories as new
from tests.support import web
from tests.support.job import broken, do, key, refresh, rows, scouts, story, value, writing
from ui.parts import shield, who

CARLA = str(key("carla"))
NOTE = "llamé a los dos, el primero la registró"


@pytest.fixture
def shown(db, db_url):
    """The pages show a small database after one run, with one open conflict."""
    story(db_url)
    refresh(db)
    with web.on(db):
        yield db


def choose(page, label, option):
    radio = next(r for r in page.radio if r.label == label)
    return radio.set_value(option).run()


def press(page, label):
    return next(b for b in page.button if b.label == label).click().run()


def write(page, text):
    return page.text_area[-1].set_value(text).run()


def test_conflict_is_decided_on_its_card_and_gone(shown, db_url):
    page = web.open_page("conflicts", persona=CARLA)
    choose(page, "¿Quién trajo a esta persona?", "9")
    write(page, NOTE)
    press(page, "Asignar al scout 9")
    assert f"Persona {CARLA[:8]}: scout 9." in web.words(page)
    assert "Ningún conflicto abierto." in web.words(page)
    assert scouts(db_url)[key("carla")] == 9
    assert rows(db_url, "select outcome, scout_id, reason_code, note from scout.decisions") == [
        ("ASSIGN", 9, "FIRST_TO_REGISTER", NOTE)
    ]
    assert broken(shown) == {}


def test_who_comes_late_is_shown_the_new_evidence_and_may_decide_again(shown, db_url):
    page = web.open_page("conflicts", persona=CARLA)
    choose(page, "¿Quién trajo a esta persona?", "none")
    write(page, NOTE)
    with writing(db_url) as conn:
        new.lead_event(conn, person=key("carla"), scout=11)
    press(page, "Decidir sin scout")
    said = web.words(page)
    assert "Cambió mientras mirabas" in said
    assert "Scout 11" in said
    assert rows(db_url, "select from scout.decisions") == []
    choose(page, "¿Quién trajo a esta persona?", "11")
    write(page, NOTE)
    press(page, "Asignar al scout 11")
    assert scouts(db_url)[key("carla")] == 11


def test_note_that_says_nothing_is_refused(shown, db_url):
    page = web.open_page("conflicts", persona=CARLA)
    choose(page, "¿Quién trajo a esta persona?", "none")
    write(page, "no")
    press(page, "Decidir sin scout")
    assert "La nota tiene que decir por qué" in web.words(page)
    assert rows(db_url, "select from scout.decisions") == []


def test_note_with_a_phone_is_refused_at_its_field_and_when_it_is_sent(shown, db_url):
    page = web.open_page("conflicts", persona=CARLA)
    choose(page, "¿Quién trajo a esta persona?", "none")
    write(page, "llamé al 912 345 678 y dijo que no")
    at_field = [c.value for c in page.caption if "Parece haber un teléfono" in c.value]
    assert len(at_field) == 1
    press(page, "Decidir sin scout")
    assert [e.value for e in page.error if "Parece haber un teléfono" in e.value]
    assert "912" not in page.error[0].value
    assert rows(db_url, "select from scout.decisions") == []
    write(page, NOTE)
    press(page, "Decidir sin scout")
    assert rows(db_url, "select note from scout.decisions") == [(NOTE,)]


def test_viewer_is_offered_nothing_and_may_do_nothing(shown, db_url, monkeypatch):
    page = web.open_page("conflicts", persona=CARLA)
    choose(page, "¿Quién trajo a esta persona?", "none")
    write(page, NOTE)
    # the role is taken away between drawing and clicking
    monkeypatch.setattr(shield, "is_sign_in_configured", lambda: False)
    monkeypatch.setattr(who, "_local_user", lambda: "vera")
    monkeypatch.setattr(who, "may", lambda actor, action: False)
    press(page, "Decidir sin scout")
    assert rows(db_url, "select from scout.decisions") == []
    monkeypatch.setattr(who, "local", lambda: Actor("vera", "viewer"))
    page = web.open_page("conflicts", persona=CARLA)
    assert "Tu rol solo mira" in web.words(page)
    assert not [r for r in page.radio if r.label == "¿Quién trajo a esta persona?"]


def test_several_are_decided_at_once_and_undone_together(shown, db, db_url):
    story(db_url, tag="2")
    page = web.open_page("conflicts")
    box = next(s for s in page.selectbox if s.label == "¿Qué decides para ellos?")
    box.set_value("none").run()
    assert "2 de 2 califican" in web.words(page)
    write(page, NOTE)
    press(page, "Resolver 2 conflictos")
    assert "2 conflictos resueltos, 0 sin tocar." in web.words(page)
    run_id = value(db_url, "select max(run_id) from scout.decisions")
    assert value(db_url, "select count(*) from scout.decisions where run_id = :r", r=run_id) == 2
    page = web.open_page("runs", run=str(run_id), undo="1")
    assert "Vuelven a lo que había antes: 2." in web.words(page)
    write(page, "se decidió por error, perdón")
    press(page, "Deshacer 2 cambios")
    assert f"Corrida {run_id} deshecha por la corrida" in web.words(page)
    assert value(db_url, "select count(*) from ops.v_scout_attribution_conflicts") == 2
    assert broken(db) == {}


def test_decision_is_reopened_and_a_hold_released_on_the_page_of_the_person(shown, db_url):
    page = web.open_page("conflicts", persona=CARLA)
    choose(page, "¿Quién trajo a esta persona?", "9")
    write(page, NOTE)
    press(page, "Asignar al scout 9")
    page = web.open_page("persona", key=CARLA)
    choose(page, "¿Quién trajo a esta persona?", "reopen")
    write(page, NOTE)
    press(page, "Reabrir la decisión")
    assert "decisión reabierta" in web.words(page)
    assert key("carla") not in scouts(db_url)
    page = web.open_page("runs", run="1", undo="1")
    write(page, "se cargó dos veces el archivo")
    press(page, "Deshacer 5 cambios")
    page = web.open_page("persona", key=str(key("ana")))
    assert "Retenida por la corrida" in web.words(page)
    page.text_input[-1].set_value("está bien después de todo").run()
    press(page, "Liberar")
    assert "Liberada" in web.words(page)
    refresh(shown)
    assert scouts(db_url)[key("ana")] == 7


def test_scouting_row_is_linked_registered_or_set_aside(shown, db, db_url):
    pk = value(db_url, "select source_pk from canon.identity_unmatched")
    page = web.open_page("persona")
    assert "Sin licencia ni teléfono útil" in web.words(page)
    page = web.open_page("persona", row=pk)
    assert "completara la licencia" in web.words(page)
    choose(page, "¿Quién es?", "create")
    write(page, NOTE)
    press(page, "Registrar a la persona")
    assert f"Fila {pk}: persona nueva registrada." in web.words(page)
    assert (
        value(db_url, "select count(*) from canon.identity_links where source_pk = :pk", pk=pk) == 1
    )
    assert broken(db) == {}


def test_link_of_a_row_is_moved_from_the_page_of_its_person_or_its_own(shown, db, db_url):
    linked = "select person_key from canon.identity_links where source_pk = :pk"
    pk = value(
        db_url, "select source_pk from canon.identity_links where person_key = :k", k=key("eva")
    )
    page = web.open_page("persona", key=str(key("eva")))
    page.text_input(key=f"move_{pk}_1_key").set_value(CARLA).run()
    page.text_area(key=f"move_{pk}_1_note").set_value(NOTE).run()
    press(page, "Mover el enlace")
    assert f"Enlace de la fila {pk} movido." in web.words(page)
    assert value(db_url, linked, pk=pk) == key("carla")
    # its licence is Eva's: she is the candidate on the row's own page
    page = web.open_page("persona", row=pk)
    choose(page, "¿Quién es?", str(key("eva")))
    page.text_area(key=f"move_{pk}_1_note").set_value(NOTE).run()
    press(page, "Mover el enlace")
    assert value(db_url, linked, pk=pk) == key("eva")
    assert broken(db) == {}


def test_row_whose_link_is_out_of_date_says_so_and_is_linked_anew(shown, db, db_url):
    pk = value(
        db_url, "select source_pk from canon.identity_links where person_key = :k", k=key("eva")
    )
    do(
        db_url,
        "update public.module_ct_scouting_daily set driver_license = 'NADIE100', driver_phone ="
        f" null where id = {pk}",
    )
    refresh(db)
    page = web.open_page("persona")
    assert "Dice otra cosa que al enlazarla" in web.words(page)
    page = web.open_page("persona", row=pk)
    assert "el enlace no cuenta" in web.words(page)
    choose(page, "¿Quién es?", "create")
    write(page, NOTE)
    press(page, "Registrar a la persona")
    assert f"Fila {pk}: persona nueva registrada." in web.words(page)
    assert broken(db) == {}
