"""What a visitor sees whom the server does not let in, or whom a proxy keeps out."""

import json

import pytest
from playwright.sync_api import Browser

from scout_core.db.database import Database
from tests.support import browser as support
from tests.support import nginx, secrets_toml
from tests.support.browser import DESK, PHONE, Visit
from ui.parts import site
from ui.parts.text import catalogue


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_page_of_nothing_is_to_be_read_and_leads_on(visitor, dark, size):
    visit = visitor(dark=dark, size=size)
    answer = visit.page.goto(f"{visit.base}/scouts/x/y")
    assert answer.status == 404
    for words in catalogue()["doors.not_found_title"]:
        assert visit.says(words)
    assert visit.severe() == []
    assert not visit.is_sideways
    # the status is an error for the browser too
    assert [fault for fault in visit.take_faults() if "404" not in fault] == []
    visit.page.get_by_role("link", name=catalogue()["doors.back"][1]).click()
    visit.page.wait_for_url(f"**/scouts/{site.FIRST.address}?lang=en")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_page_of_a_refusal_is_to_be_read(visitor, tmp_path, dark, size):
    visit = visitor(dark=dark, size=size)
    with nginx.proxied(visit.base, tmp_path, "proxy_set_header Host localhost;") as proxy:
        assert visit.page.goto(f"{proxy}/scouts/conflicts").status == 403
        for words in catalogue()["doors.proxy_title"]:
            assert visit.says(words)
        assert visit.severe() == []
        assert not visit.is_sideways
    visit.take_faults()


def test_page_behind_a_proxy_that_passes_no_websocket_says_so_within_seconds(
    chromium: Browser, demo_db: Database, tmp_path
):
    """Both where the connection is refused at once and where it never is answered."""
    port = support.free_port()
    origin = f"http://localhost:{port}"
    file = tmp_path / "secrets.toml"
    secrets_toml.write(file, origin)
    named = f"proxy_set_header Host localhost:{port};"
    with (
        support.served(demo_db.url, tmp_path / "log", "--secrets.files", str(file)) as address,
        nginx.proxied(address, tmp_path, named, port=port),
    ):
        for size, dark in ((DESK, False), (PHONE, True)):
            context = chromium.new_context(
                viewport={"width": size[0], "height": size[1]},
                color_scheme="dark" if dark else "light",
            )
            visit = Visit(context.new_page(), origin)
            visit.page.goto(f"{origin}/scouts/conflicts")
            alert = visit.page.get_by_role("alert")
            alert.wait_for(timeout=15_000)
            for words in catalogue()["doors.blocked_title"]:
                assert words in alert.inner_text()
            assert not visit.is_sideways
            context.close()


def test_page_that_connects_says_nothing_of_it(visit):
    visit.walk("/scouts/conflicts")
    visit.page.wait_for_timeout(500)
    title = json.dumps(catalogue()["doors.blocked_title"][0])
    assert visit.page.evaluate(f"document.body.innerText.includes({title})") is False
