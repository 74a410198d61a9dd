"""What somebody types into a filter is no part of an address unless it can be part of a key; the
file under that address has the rows of the screen (I21, I23)."""

from dataclasses import fields
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_core.export.lists import LISTS
from scout_core.lists import kept_texts
from tests.support.asking import asking
from tests.support.looking import refreshed_demo, value
from tests.support.web import on
from ui.parts import exports, site

PERSONAL = ("912345678", "+51 912 345 678", "12345678", "Q12345678", "a@example.com", "José Pérez")
KEYS = ("f8049a80", "f8049a80-1a2b-4c3d-9e8f-001122334455", "123", "7", "AB-9")
TYPED = [
    (name, field.name)
    for name, listed in LISTS.items()
    for field in fields(listed.filters)
    if "str" in str(field.type) and field.name not in listed.choices
]


@pytest.fixture(scope="module")
def demo(server_url):
    with refreshed_demo(server_url) as database, on(database):
        yield database


def test_the_filters_that_are_typed_are_found():
    assert {"text", "driver", "actor", "person"} <= {field for _, field in TYPED}


@pytest.mark.parametrize("typed", PERSONAL)
@pytest.mark.parametrize(("name", "field"), TYPED)
def test_address_of_a_file_holds_no_typed_text(name, field, typed):
    address = exports.address(name, "csv", LISTS[name].filters(**{field: typed}), "newest")
    assert typed not in unquote_plus(address)
    (said,) = parse_qs(urlsplit(address).query)[LISTS[name].parameters.get(field, field)]
    assert kept_texts.from_address(said) == typed


@pytest.mark.parametrize("typed", KEYS)
def test_key_or_number_stands_in_the_address_as_it_is(typed):
    assert kept_texts.in_address(typed) == typed
    assert kept_texts.from_address(typed) == typed


@given(st.text(max_size=100))
def test_every_text_comes_back(typed):
    said = kept_texts.in_address(typed)
    assert kept_texts.from_address(said) == typed
    assert said == typed or typed not in said or len(typed) < 3


def test_of_many_texts_the_oldest_is_forgotten_and_stands_for_no_text(monkeypatch):
    monkeypatch.setattr(kept_texts, "MOST", 2)
    first, *_ = said = [kept_texts.in_address(f"Pérez {n}") for n in range(3)]
    assert [kept_texts.from_address(name) for name in said] == [first, "Pérez 1", "Pérez 2"]


@pytest.mark.parametrize(
    ("name", "field", "query"),
    [
        ("audit", "actor", "select min(actor) from ops.lead_ledger_scout_backfill_audit"),
        ("collection", "driver", "select min(driver_id) from ops.v_yango_collection_with_scout"),
    ],
)
def test_file_under_a_typed_text_has_its_rows(demo, name, field, query):
    typed = f"{value(demo, query)}"
    if kept_texts.in_address(typed) == typed:
        typed = f" {typed}"  # blanks around it do not count
    filters = LISTS[name].filters(**{field: typed})
    path = exports.address(name, "csv", filters, next(iter(LISTS[name].sorts)))
    plain = urlsplit(path.removeprefix(f"/{site.BASE}/api"))
    with asking(demo) as ask:
        found = ask.client.get(f"{plain.path}?{plain.query}")
        given = {key: values[0] for key, values in parse_qs(plain.query).items()}
        expected = ask.client.get(plain.path, params=given | {field: typed})
        nobody = ask.client.get(plain.path, params=given | {field: kept_texts.MARK + "0" * 32})
    assert kept_texts.MARK in given[field]
    assert found.status_code == 200
    assert found.text == expected.text
    assert len(found.text.splitlines()) > 1
    assert len(nobody.text.splitlines()) == 1
