"""The journey of sign-in, with a real OpenID Connect provider, behind a proxy with TLS: who may
what, as whom, where a link leads, what ends a session.
"""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from streamlit.web.server.starlette.starlette_app_utils import (
    create_signed_value,
    decode_signed_value,
)

from scout_core.db.database import Database
from tests.support import browser as support
from tests.support import nginx, secrets_toml
from tests.support import provider as providers
from tests.support.browser import Visit, free_port
from tests.support.job import rows
from tests.support.server import ROOT

pytestmark = pytest.mark.filterwarnings(providers.OLD_WAYS)

SECRET = secrets_toml.SECRET
COOKIE = "_streamlit_user"
LINK = "/scouts/conflicts?kind=SEVERAL_SCOUTS&lang=en"
RUNBOOKS = (ROOT / "docs/runbook.en.md", ROOT / "docs/runbook.es.md")


@dataclass
class Place:
    """The server behind its proxy, its provider, its database."""

    address: str
    provider: providers.Provider
    database: Database

    def cookie(self, secret: str = SECRET, **changed: object) -> dict[str, str]:
        """A cookie such as the server makes, of Olga the admin, with something else in it."""
        told = {
            "origin": self.address,
            "is_logged_in": True,
            "provider": "default",
            "subject": f"{self.provider.address}#olga",
            "actor": "olga@example.com",
            "role": "admin",
            "signed_in_at": datetime.now(UTC).isoformat(),
            "provider_key": None,
            **changed,
        }
        return {COOKIE: create_signed_value(secret, COOKIE, json.dumps(told)).decode()}

    def ask(self, cookies: dict[str, str], path: str = "scouts/attribution/metrics") -> int:
        """The status of the API's answer to a browser with these cookies."""
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        request = urllib.request.Request(
            f"{self.address}/scouts/api/v1/{path}", headers={"cookie": header}
        )
        try:
            with urllib.request.urlopen(request, context=nginx.context(), timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as exc:
            return exc.code


def location(document: Path) -> str:
    """What the runbook says to write for nginx."""
    return re.findall(r"^```nginx\n(.*?)^```$", document.read_text(encoding="utf-8"), re.M | re.S)[
        0
    ]


@pytest.fixture(scope="module")
def place(demo_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """All of it, up while the module is tested."""
    nginx.find()
    folder = tmp_path_factory.mktemp("sign-in")
    port = free_port()
    keys = folder / "secrets.toml"
    written = location(RUNBOOKS[0])
    with providers.running() as provider:
        redirect = f"https://localhost:{port}/scouts/oauth2callback"
        keys.write_text(providers.secrets_toml(provider, redirect, SECRET))
        keys.chmod(0o600)
        options = ("--secrets.files", str(keys))
        with support.served(demo_db.url, folder / "server.log", *options) as behind:
            here = written.replace(
                "http://127.0.0.1:3000", behind.replace("localhost", "127.0.0.1")
            )
            assert here != written
            with nginx.secured(port, here, folder) as address:
                yield Place(address, provider, demo_db)


@pytest.fixture
def anybody(chromium: Browser, place: Place) -> Iterator[Callable[..., BrowserContext]]:
    """New browsers are made by it, with these cookies."""
    made: list[BrowserContext] = []

    def make(cookies: dict[str, str] | None = None) -> BrowserContext:
        context = chromium.new_context(
            ignore_https_errors=True,
            viewport={"width": 1400, "height": 1000},
            locale="es-PE",
            accept_downloads=True,
            reduced_motion="reduce",
        )
        # the form of the provider wants to look nice
        context.route("https://cdn.*/**", lambda route: route.abort())
        for name, value in (cookies or {}).items():
            # of the path, as the server sets it
            context.add_cookies(
                [
                    {
                        "name": name,
                        "value": value,
                        "domain": "localhost",
                        "path": "/scouts",
                        "secure": True,
                        "httpOnly": True,
                        "sameSite": "Lax",
                    }
                ]
            )
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


def tab(context: BrowserContext, place: Place) -> Visit:
    return Visit(context.new_page(), place.address)


def look(visit: Visit, address: str) -> None:
    """Open a page that may show nothing but the way in."""
    visit.page.goto(visit.base + address)
    visit.page.wait_for_selector(support.IDLE)


def enter(visit: Visit, sub: str) -> None:
    """From the button of the page, over the form of the provider, back to a page of ours."""
    visit.page.get_by_role("button", name=re.compile("Entrar|Sign in")).click()
    visit.page.get_by_placeholder("sub").fill(sub)
    visit.page.get_by_role("button", name="Authorize").click()
    visit.page.wait_for_url(f"{visit.base}/**")
    visit.settle()


def leave(visit: Visit) -> None:
    """Sign out by the menu; the provider asks too, then a page of ours asks to sign in."""
    visit.page.get_by_role("button", name=re.compile("Salir|Sign out")).click()
    visit.page.get_by_role("button", name="End session").click()
    expect(visit.page.get_by_text(re.compile("Entra para ver|Sign in to see"))).to_be_visible()


def kept(context: BrowserContext) -> dict[str, str]:
    """The session of a browser, as somebody else could copy it."""
    return {c["name"]: c["value"] for c in context.cookies() if c["name"].startswith(COOKIE)}


def test_proxy_is_set_up_as_both_runbooks_say():
    assert location(RUNBOOKS[0]) == location(RUNBOOKS[1])


ROLES = {
    "vera": ("viewer", "Viewer"),
    "aldo": ("analyst", "Analyst"),
    "olga": ("operator", "Operator"),
    "ada": ("admin", "Administrator"),
    "nero": ("emperor", "Viewer"),
}


# an admin and an operator are in the other journeys
@pytest.mark.parametrize(
    "names", [("aldo", "nero"), pytest.param(tuple(ROLES), marks=pytest.mark.long)]
)
def test_each_role_signs_in_is_back_at_the_link_may_what_it_may_and_signs_out(
    place: Place, anybody: Callable[..., BrowserContext], names: tuple[str, ...]
):
    """One browser, one person after the other."""
    context = anybody()
    visit = tab(context, place)
    for name in names:
        role, shown = ROLES[name]
        place.provider.person(
            name, email=f"{name}@example.com", email_verified=True, scout_role=role
        )
        look(visit, LINK)
        assert "Sign in to see the data" in visit.page.inner_text("body")
        assert place.ask(kept(context)) == 401
        enter(visit, name)
        assert visit.page.url == place.address + LINK
        expect(visit.page.get_by_test_id("stDataFrame").first).to_be_visible()
        side = visit.page.get_by_test_id("stSidebar")
        expect(side.get_by_text(re.compile(f"{shown}$"))).to_be_visible()
        expect(side.get_by_text(f"{name}@example.com")).to_be_visible()
        may_run = role in {"operator", "admin"}
        assert side.get_by_role("button", name="Run now").is_enabled() == may_run
        assert place.ask(kept(context)) == 200
        leave(visit)
        assert kept(context) == {}
    # the last: what the browser makes of a kept connection that nginx has closed
    retried = "ERR_TOO_MANY_RETRIES"
    theirs = (place.provider.address, "https://cdn.", "ERR_FAILED", "id=", retried)
    assert [f for f in visit.take_faults() if not any(part in f for part in theirs)] == []


def test_run_and_file_are_of_who_signed_in_through_the_proxy(
    place: Place, anybody: Callable[..., BrowserContext]
):
    url = place.database.url
    place.provider.person(
        "olga", email="olga@example.com", email_verified=True, scout_role="operator"
    )
    context = anybody()
    visit = tab(context, place)
    look(visit, "/scouts/conflicts")
    enter(visit, "olga")
    last = rows(url, "select max(run_id) from scout.runs")[0][0]
    visit.page.get_by_role("button", name="Ejecutar ahora").click()
    by = f"select actor, status::text from scout.v_runs where run_id > {last}"
    for _ in range(300):
        if [row[1] for row in rows(url, by)] == ["COMPLETED"]:
            break
        visit.page.wait_for_timeout(100)
    assert rows(url, by) == [("olga@example.com", "COMPLETED")]
    visit.settle()
    visit.page.get_by_role("button", name=re.compile(r"Exportar [\d,]+ filas")).first.click()
    link = visit.page.get_by_role("link", name=re.compile("en CSV$"))
    link.evaluate("a => a.removeAttribute('target')")
    with visit.page.expect_download() as download:
        link.click()
    assert download.value.path().read_bytes().startswith("\ufeff".encode())
    audit = "select actor, role, via, is_complete from scout.export_audit order by id desc limit 1"
    assert rows(url, audit) == [("olga@example.com", "operator", "page", True)]
    # an address that nobody verified is not who did it
    place.provider.person("eve", email="olga@example.com", scout_role="operator")
    other = anybody()
    eve = tab(other, place)
    look(eve, "/scouts/conflicts")
    enter(eve, "eve")
    expect(eve.page.get_by_test_id("stSidebar").get_by_text(re.compile("eve$"))).to_be_visible()


def test_sign_out_ends_the_copy_of_the_cookie_and_the_page_of_another_tab(
    place: Place, anybody: Callable[..., BrowserContext]
):
    place.provider.person("ada", email="ada@example.com", email_verified=True, scout_role="admin")
    context = anybody()
    visit, open_tab = tab(context, place), tab(context, place)
    look(visit, LINK)
    enter(visit, "ada")
    open_tab.open("/scouts/backlog")
    copied = kept(context)
    told = json.loads(decode_signed_value(SECRET, COOKIE, copied[COOKIE]) or b"")
    assert (told["actor"], told["role"]) == ("ada@example.com", "admin")
    thief = tab(anybody(copied), place)
    thief.open("/scouts/conflicts")
    assert place.ask(copied) == 200
    # what a page of somebody else can make a browser do: nothing
    visit.page.goto(f"{place.address}/scouts/auth/logout")
    visit.settle()
    assert place.ask(copied) == 200
    leave(visit)
    assert place.ask(copied) == 401
    for page in (open_tab.page, thief.page):
        # whatever they do next; here, go to another page in the tab that is open
        page.evaluate(
            "() => { history.pushState({}, '', '/scouts/persona');"
            " dispatchEvent(new PopStateEvent('popstate')) }"
        )
        expect(page.get_by_text("Tu sesión terminó")).to_be_visible(timeout=30_000)
        expect(page.get_by_test_id("stDataFrame")).to_have_count(0)
    # and from there back in, to the same page
    enter(open_tab, "ada")
    assert open_tab.page.url == f"{place.address}/scouts/persona"


def test_cookie_that_expired_or_was_forged_opens_nothing(
    place: Place, anybody: Callable[..., BrowserContext]
):
    good = place.cookie()
    assert place.ask(good) == 200
    ((name, value),) = good.items()
    before = (datetime.now(UTC) - timedelta(hours=12, seconds=5)).isoformat()
    expired = place.cookie(signed_in_at=before)
    forged = {
        "altered": {name: value[:-3] + "AAA"},
        "unsigned": {name: json.dumps({"is_logged_in": True, "role": "admin"})},
        "another secret": place.cookie(secret="changeme"),
        "empty secret": place.cookie(secret=""),
        "another address": place.cookie(origin="https://evil.example"),
        "Streamlit's own": place.cookie(signed_in_at=None, email="olga@example.com"),
    }
    for what, cookies in {**forged, "expired": expired}.items():
        assert place.ask(cookies) == 401, what
    for cookies, says in (
        (expired, "Tu sesión terminó"),
        (forged["another secret"], "Entra para ver los datos"),
    ):
        visit = tab(anybody(cookies), place)
        look(visit, "/scouts/conflicts")
        expect(visit.page.get_by_text(says)).to_be_visible()
        expect(visit.page.get_by_test_id("stDataFrame")).to_have_count(0)


def test_sign_in_that_is_refused_says_so_and_may_be_tried_again(
    place: Place, anybody: Callable[..., BrowserContext]
):
    visit = tab(anybody(), place)
    visit.page.set_viewport_size({"width": 390, "height": 844})
    place.provider.lie = lambda claims: {**claims, "aud": "somebody-else"}
    try:
        look(visit, LINK)
        visit.page.get_by_role("button", name="Sign in").click()
        visit.page.get_by_placeholder("sub").fill("vera")
        visit.page.get_by_role("button", name="Authorize").click()
        expect(visit.page.get_by_text("You could not be signed in")).to_be_visible()
    finally:
        place.provider.lie = None
    assert not visit.is_sideways
    for theme in ("light", "dark"):
        visit.page.emulate_media(color_scheme=theme)
        visit.page.reload()
        visit.settle()
        assert visit.severe() == [], theme
    place.provider.person("vera", email="vera@example.com", email_verified=True)
    enter(visit, "vera")
    assert visit.page.url == place.address + LINK
