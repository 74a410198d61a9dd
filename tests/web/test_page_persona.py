"""The page of one person: found in any form, told in one sentence, nothing personal in the open."""

import pytest
from streamlit.testing.v1 import AppTest

from scout_core.access.permissions import Actor
from scout_core.db.database import ADMIN
from scout_core.decide import erasure
from tests.support import factories, web
from tests.support.looking import installed as new_database
from tests.support.looking import refreshed_demo, rows, write
from ui.parts import read
from ui.parts.text import catalogue


def search(page: AppTest, wanted: str) -> AppTest:
    return page.text_input[0].set_value(wanted).run()


def first(database, query: str) -> str:
    return str(rows(database, query)[0][0])


CONFLICT = "select person_key from ops.v_scout_attribution_conflicts order by 1 limit 1"
WRITTEN = (
    "select person_key from ops.lead_ledger_scout_backfill_audit"
    " where ingestion_run_id is not null order by id limit 1"
)


def test_persona_without_a_key_asks_for_one(full):
    said = web.words(web.open_page("persona"))
    assert "Ninguna persona elegida." in said
    assert "Historia" not in said


@pytest.mark.parametrize("key", ["00000000-0000-0000-0000-000000000000", "<b>" * 99])
def test_key_of_nobody_is_said_plainly(full, key):
    page = web.open_page("persona", key=key)
    assert not page.exception
    assert "Nadie está registrado con esta clave." in web.words(page)


def test_person_in_conflict_is_told_why_and_led_to_the_decision(full):
    key = first(full, CONFLICT)
    page = web.open_page("persona", key=key)
    said = web.words(page)
    assert "En conflicto" in said or "en conflicto" in said
    assert "decidir el conflicto" in said
    assert "Se abrió el conflicto" in said
    assert page.button(key="persona_decide").label == catalogue()["persona.decide"][0]
    phone, license = rows(
        full,
        "select primary_phone, primary_license from canon.identity_registry where person_key = :k",
        k=key,
    )[0]
    assert phone not in said
    assert license not in said


def test_person_with_a_scout_is_told_which_run_wrote_it(full):
    key = first(full, WRITTEN)
    page = web.open_page("persona", key=key)
    said = web.words(page)
    assert "porque toda su evidencia lo nombra" in said
    assert "ninguna, ya tiene scout" in said
    assert "persona_decide" not in {button.key for button in page.button}
    (audit,) = [d.value for d in page.dataframe if "rule" in d.value]
    assert "BACKFILL_SINGLE_SCOUT_FROM_EVENTS" in list(audit["rule"])


def test_history_shows_evidence_or_changes_as_asked(full):
    key = first(full, WRITTEN)
    evidence = web.words(web.open_page("persona", key=key, show="evidence"))
    changes = web.words(web.open_page("persona", key=key, show="changes"))
    assert "Entró al registro" in evidence
    assert "Entró al registro" not in changes
    assert " escribió al scout" in changes
    assert " escribió al scout" not in evidence


def test_phone_in_another_form_opens_the_person_and_leaves_no_trace(full):
    key, phone = rows(
        full,
        "select r.person_key::text, right(regexp_replace(r.primary_phone, '[^0-9]', '', 'g'), 9)"
        " from canon.identity_registry as r"
        " where (select count(*) from scout.v_person_keys as k"
        ' where k.phone_key = scout.phone_key(r.primary_phone) collate "C") = 1'
        " order by 1 limit 1",
    )[0]
    page = search(web.open_page("persona"), f"+51 {phone[:3]}-{phone[3:6]} {phone[6:]}")
    assert not page.exception
    assert page.query_params["key"] == key
    assert phone not in str(dict(page.query_params))
    assert "Historia" in web.words(page)
    assert page.text_input[0].value == ""


def test_name_of_many_is_a_list_without_identifiers(full):
    page = search(web.open_page("persona"), "persona 0000")
    (found,) = [d.value for d in page.dataframe if "matched" in d.value]
    assert set(found["matched"]) == {"Nombre"}
    assert all("•" in phone or phone == "—" for phone in found["phone"])
    assert "key" not in page.query_params


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("%%", "al menos tres"),
        ("a\0bc", "no se pueden leer"),
        ("x" * 201, "demasiado largo"),
        ("nadie se llama asi", "Nadie tiene esa clave"),
        ("'; drop table x --", "Nadie tiene esa clave"),
        ("[a](javascript:alert(1))", "Nadie tiene esa clave"),
    ],
)
def test_search_that_finds_nothing_says_why(full, wanted, said):
    page = search(web.open_page("persona"), wanted)
    assert not page.exception
    assert said in web.words(page)


def test_person_keeps_what_was_read_when_the_database_goes_away(full):
    page = web.open_page("persona", key=first(full, CONFLICT))
    web.cut_off()
    page.run()
    assert not page.exception
    assert "La base no responde desde" in web.words(page)
    assert "Historia" in web.words(page)


def test_person_with_hostile_values_is_shown_as_text(server_url):
    """Names, notes, actors and excerpts as bad input brings them; and 60 pieces of evidence."""
    with new_database(server_url) as database:
        with database.transaction(ADMIN) as conn:
            ana = factories.person(
                conn, primary_full_name=web.ODD_NAMES[2], license="<img src=x onerror=alert(1)>"
            )
            for number, name in enumerate(web.ODD_NAMES, 1):
                factories.scout_listed(conn, number, name=name)
                factories.lead_event(conn, person=ana, scout=number)
            for number in range(100, 160):
                factories.payment(conn, person=ana, scout=number)
        write(
            database,
            "insert into scout.decisions (person_key, outcome, scout_id, considered_scout_ids,"
            " reason_code, note, actor) values"
            " (:p, 'NO_SCOUT', null, '{1}', 'TEST', :note, :actor)",
            p=ana,
            note=web.ODD_NAMES[2],
            actor=":red[eva]",
        )
        with web.on(database):
            page = web.open_page("persona", key=str(ana))
            assert not page.exception
            said = web.words(page)
            assert "](javascript" not in said
            assert "](http" not in said
            assert ":red[eva]" not in said
            more = page.button(key="persona_more")
            assert "25 de 71" in more.label
            assert "125 de 71" not in web.words(more.click().run())


def test_page_of_who_was_erased_says_so_and_shows_nothing_of_them(server_url):
    chosen = (
        "select r.person_key from canon.identity_registry as r"
        " join scout.person_attribution as p using (person_key)"
        " where r.primary_phone is not null and p.is_lead order by 1 desc limit 1"
    )
    with refreshed_demo(server_url) as database, web.on(database):
        key = first(database, chosen)
        assert "•" in web.words(web.open_page("persona", key=key))
        erasure.erase(
            database,
            actor=Actor("root", "admin"),
            person_key=key,
            reason="letter 14 of the person asks for it",
        )
        read.forget()
        page = web.open_page("persona", key=key)
        assert not page.exception
        said = web.words(page)
        assert "ya no se muestran sus teléfonos" in said
        assert "•" not in said
