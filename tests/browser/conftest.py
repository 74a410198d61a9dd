"""A browser, a server and a demo database for the journeys of a process; a fresh visitor for each.

They end with the last journey: while the browser's driver lives, an event loop runs in its process.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from scout_core.db.database import Database
from tests.support import browser as support
from tests.support.browser import Visit
from tests.support.looking import refreshed_demo

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys come first: they are the longest files, so that the workers end together."""
    items.sort(key=lambda item: HERE not in item.path.parents)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser. Without one the journeys are skipped, or fail where that is forbidden."""
    with sync_playwright() as playwright:
        program = support.find(playwright)
        if program is None:
            lack = (
                "NO BROWSER, THE JOURNEYS DO NOT RUN: install Chromium, name it in CHROMIUM, or run"
                " `.venv/bin/playwright install chromium`."
            )
            if os.environ.get(support.REQUIRED):
                pytest.fail(lack)
            pytest.skip(lack)
        browser = support.launch(playwright, program)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def demo_db(server_url: str) -> Iterator[Database]:
    """The database that the server shows: 300 persons after one run."""
    with refreshed_demo(server_url) as database:
        yield database


@pytest.fixture(scope="package")
def server(demo_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the one server."""
    log = tmp_path_factory.mktemp("server") / "log"
    with support.served(demo_db.url, log) as address:
        yield address


@pytest.fixture(scope="package")
def contexts(chromium: Browser) -> Iterator[dict[tuple[object, ...], BrowserContext]]:
    """Browser profiles by theme and size; kept, so that the program is loaded once for each."""
    made: dict[tuple[object, ...], BrowserContext] = {}
    yield made
    for context in made.values():
        context.close()


@pytest.fixture
def visitor(
    chromium: Browser, contexts: dict[tuple[object, ...], BrowserContext], server: str
) -> Iterator[Callable[..., Visit]]:
    """New visitors are made by it, e.g. (dark=True, size=PHONE); each loads the whole program."""
    visits = []

    def make(*, dark: bool = False, size: tuple[int, int] = support.DESK) -> Visit:
        visits.append(_new_visit(chromium, contexts, server, dark, size))
        return visits[-1]

    yield make
    found = [fault for visit in visits for fault in visit.take_faults()]
    for visit in visits:
        visit.page.close()
    assert found == []


@pytest.fixture(scope="package")
def _tabs() -> dict[str, Visit]:
    return {}


@pytest.fixture
def visit(
    chromium: Browser,
    contexts: dict[tuple[object, ...], BrowserContext],
    server: str,
    _tabs: dict[str, Visit],
) -> Iterator[Visit]:
    """The visitor who goes from test to test in one tab, in Spanish: `walk` to the first page."""
    if "tab" not in _tabs:
        _tabs["tab"] = _new_visit(chromium, contexts, server, False, support.DESK)
    tab = _tabs.pop("tab")
    yield tab
    found = tab.take_faults()
    if found:
        tab.page.close()
    assert found == []
    _tabs["tab"] = tab


def _new_visit(
    chromium: Browser,
    contexts: dict[tuple[object, ...], BrowserContext],
    server: str,
    dark: bool,
    size: tuple[int, int],
) -> Visit:
    if (dark, size) not in contexts:
        contexts[dark, size] = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            locale="es-PE",
            timezone_id="America/Lima",
            accept_downloads=True,
            reduced_motion="reduce",
        )
    return Visit(contexts[dark, size].new_page(), server)
