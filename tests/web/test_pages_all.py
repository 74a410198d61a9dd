"""What holds for every page: it opens in every state of the database, in both languages."""

import pytest

from scout_core.access.permissions import Actor
from tests.support import drivers, web
from tests.support.looking import value
from ui.parts import site, who
from ui.parts.text import catalogue

PAGES = [place.name for place in site.PLACES]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("state", ["empty", "full", "odd"])
def test_page_opens_without_an_error(name, state, request):
    request.getfixturevalue(state)
    page = web.open_page(name)
    assert not page.exception
    assert page.title[0].value == catalogue()[f"common.page_{name}"][0]


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_in_english(name, full):
    page = web.open_page(name, language="en")
    assert not page.exception
    assert page.title[0].value == catalogue()[f"common.page_{name}"][1]


@pytest.mark.parametrize("name", PAGES)
def test_page_says_plainly_that_the_database_is_away(name, away):
    page = web.open_page(name)
    assert not page.exception
    assert page.button(key="run_now").disabled


# what opens the rows of a page one by one: name in the address -> where a value of it is found
OPENED = (
    ("persona", "key", "select person_key from ops.v_yango_collection_with_scout"
     " where driver_name is not null and person_key is not null limit 1"),
    ("persona", "row", "select source_pk from canon.identity_unmatched order by id limit 1"),
    ("conflicts", "persona", "select person_key from ops.v_scout_attribution_conflicts limit 1"),
    ("scouts", "scout", "select scout_id from observational.lead_events"
     " where scout_id is not null limit 1"),
    ("alerts", "alert", "select alert_id from scout.alerts order by alert_id limit 1"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "filters"), [*((n, None) for n in PAGES), *((n, (k, q)) for n, k, q in OPENED)]
)
def test_viewer_reads_nothing_personal(name, filters, full, monkeypatch):
    monkeypatch.setattr(who, "visitor", lambda: Actor("v", "viewer"))
    given = {} if filters is None else {filters[0]: str(value(full, filters[1]))}
    page = web.open_page(name, **given)
    assert not page.exception
    said = web.words(page)
    assert len(said) > 200
    assert [text for text in drivers.values(full) if text in said] == []


def test_names_of_drivers_are_read_by_who_decides(full, monkeypatch):
    monkeypatch.setattr(who, "visitor", lambda: Actor("a", "analyst"))
    said = web.words(web.open_page("cobranza"))
    assert [text for text in drivers.values(full) if text in said] != []


def typed_fields(page) -> list[str]:
    return [field.key for field in page.text_input if str(field.key).startswith("link_")]


WITH_FIELDS = [*((n, {}) for n in ("backlog", "cobranza", "conflicts", "liquidation")),
               ("runs", {"view": "audit"})]  # fmt: skip


def test_pages_with_fields_for_text_are_known(full):
    found = [n for n in PAGES if typed_fields(web.open_page(n))]
    assert sorted(found) == [n for n, given in WITH_FIELDS if not given]


@pytest.mark.parametrize(("name", "given"), WITH_FIELDS)
def test_typed_text_never_stands_in_the_address_and_stays_in_its_field(name, given, full):
    page = web.open_page(name, **given)
    assert typed_fields(page)
    for key in typed_fields(page):
        for typed in ("912 345 678", "Q12345678", "José Pérez", "a@example.com"):
            page.text_input(key=key).set_value(typed).run()
            assert not page.exception
            said = {n: "".join(page.query_params[n]) for n in list(page.query_params)}
            assert said.keys() - given.keys() == {key.removeprefix("link_")}
            assert [value for value in said.values() if typed in value] == []
        again = web.open_page(name, **said)
        assert again.text_input(key=key).value == typed
        page.text_input(key=key).set_value("").run()
