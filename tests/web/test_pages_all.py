"""What holds for every page: it opens in every state of the database, in both languages."""

import pytest

from tests.support import web
from ui import site
from ui.text import catalogue

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
