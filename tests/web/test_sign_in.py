"""Sign-in and sign-out against a real OpenID Connect provider, without a browser: who may, as whom,
where it leads to, what ends it."""

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from scout_core import logs
from scout_core.access.permissions import Actor
from tests.support import provider as providers
from tests.support import web
from tests.support.job import do, rows
from tests.support.looking import installed
from ui.doors import answers, provider_claims, sessions, sign_in
from ui.parts import read, site, who

pytestmark = pytest.mark.filterwarnings(providers.OLD_WAYS)

SECRET = "5c0a7" * 13
ORIGIN = "https://scouts.example.com"
FIRST = sign_in.FIRST_PAGE
ANA = {"email": "ana@example.com", "email_verified": True, "scout_role": "operator"}


@pytest.fixture(scope="module")
def started():
    with providers.running() as found:
        yield found


@pytest.fixture
def provider(started):
    """The provider, honest; it knows ana, an operator."""
    started.lie, started.forges, started.userinfo_says = None, False, None
    started.only_at_userinfo = set()
    started.person("ana", **ANA)
    return started


@pytest.fixture
def auth(provider, monkeypatch):
    """Sign-in is set up; a test may change what [auth] says."""
    said = {
        "redirect_uri": f"{ORIGIN}{sign_in.CALLBACK}",
        "cookie_secret": SECRET,
        "client_id": providers.CLIENT_ID,
        "client_secret": providers.CLIENT_SECRET,
        "server_metadata_url": provider.metadata_url,
    }
    kept = secrets_singleton._secrets

    def change(**more):
        # as Streamlit has read them from the file
        secrets_singleton._secrets = {
            "auth": {**said, **more},
            "roles": {"claim": "scout_role"},
        }

    change()
    monkeypatch.setattr(secrets_singleton, "load_if_toml_exists", lambda: True)
    provider_claims._taken.clear()
    sessions._pending.clear()
    yield change
    secrets_singleton._secrets = kept


@dataclass
class Browser:
    """Somebody's browser before our server."""

    client: TestClient

    def go(self, address):
        return self.client.get(address, follow_redirects=False)

    def begin(self, **asked):
        """Where the provider is asked."""
        answer = self.client.get(sign_in.LOGIN, params=asked, follow_redirects=False)
        assert answer.status_code == 302
        return answer.headers["location"]

    def consent(self, address, sub="ana", **form):
        """What the provider sends the browser back to."""
        answer = requests.post(
            address, data=form or {"sub": sub}, allow_redirects=False, timeout=10
        )
        assert answer.status_code == 302, answer.text
        back = answer.headers["location"]
        assert back.startswith(f"{ORIGIN}{sign_in.CALLBACK}?")
        return back

    def sign_in(self, sub="ana", **asked):
        """Where the browser is after all of it."""
        answer = self.go(self.consent(self.begin(**asked), sub))
        assert answer.status_code == 302
        return answer.headers["location"]

    def visitor(self, **how):
        return who.visitor_of(dict(self.client.cookies), **how)

    def cookie(self):
        name = "_streamlit_user"
        return json.loads(decode_signed_value(SECRET, name, self.client.cookies[name]))


@pytest.fixture(scope="module")
def shared(server_url):
    with installed(server_url) as database:
        yield database


@pytest.fixture
def db(shared):
    """Nobody has signed in yet."""
    do(shared.url, "delete from scout.sign_ins", "delete from scout.session_ends")
    return shared


@pytest.fixture
def db_url(db):
    return db.url


@pytest.fixture
def browser(auth, db):
    """New browsers are made by it; the sessions are kept in the database."""
    app = Starlette(
        routes=[*sign_in.routes(), Route("/{rest:path}", lambda _: JSONResponse({}))],
        middleware=[Middleware(SessionMiddleware, secret_key=SECRET)],
    )
    with web.on(db):
        yield lambda: Browser(TestClient(app, base_url=ORIGIN))


@pytest.fixture
def lines(capfd):
    """What was logged since it was last called."""
    logs.configure("INFO", json=True)
    capfd.readouterr()

    def take():
        found = [
            json.loads(line) for line in capfd.readouterr().err.splitlines() if line[:1] == "{"
        ]
        return [
            {k: v for k, v in line.items() if k not in {"timestamp", "level"}}
            for line in found
            if line["topic"] == "access"
        ]

    yield take
    logs.configure("INFO")


@pytest.mark.parametrize(
    ("given", "role"),
    [
        ({"scout_role": "viewer"}, "viewer"),
        ({"scout_role": "analyst"}, "analyst"),
        ({"scout_role": "operator"}, "operator"),
        ({"scout_role": ["x", "admin"]}, "admin"),
        ({"scout_role": "emperor"}, "viewer"),
        ({}, "viewer"),
    ],
)
def test_role_is_that_of_the_claim_and_anything_else_a_viewer(browser, provider, given, role):
    provider.person("eva", email="eva@example.com", email_verified=True, **given)
    eva = browser()
    assert eva.sign_in("eva") == FIRST
    assert eva.visitor() == Actor("eva@example.com", role)


def test_session_is_begun_with_no_more_than_is_needed(browser, auth, lines):
    ana = browser()
    ana.sign_in()
    kept = ana.cookie()
    assert set(kept) == {
        *("origin", "is_logged_in", "provider", "subject", "actor"),
        *("role", "signed_in_at", "provider_key"),
    }
    (line,) = lines()
    assert line == {
        "event": "signed in", "topic": "access", "actor": "ana@example.com", "role": "operator",
    }  # fmt: skip


def test_cookie_is_for_this_server_over_tls_and_as_long_as_a_session(browser):
    ana = browser()
    answer = ana.go(ana.consent(ana.begin()))
    (kept,) = [
        line
        for line in answer.headers.get_list("set-cookie")
        if line.startswith("_streamlit_user=") and "Max-Age=0" not in line
    ]
    parts = {part.strip().lower() for part in kept.split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/scouts", "max-age=43200"} <= parts


@pytest.mark.parametrize("length", [180, 5000])
def test_answer_fits_into_what_a_proxy_takes_as_headers(browser, provider, length):
    """Nginx takes 4 kB where it is not told otherwise; a longer id token is not kept."""
    provider.person("ana", **ANA, name="x" * length)
    ana = browser()
    answer = ana.go(ana.consent(ana.begin(to="/scouts/conflicts?q=" + "x" * 200)))
    assert ana.visitor() is not None
    ours = answers._headers_of("scouts.example.com")
    assert sum(len(n) + len(v) + 4 for n, v in [*answer.headers.raw, *ours]) < 4000


UNVERIFIED = [
    ({"email": "boss@example.com", "email_verified": False}, "eva"),
    ({"email": "boss@example.com"}, "eva"),
    ({"email": "boss@example.com", "email_verified": "true"}, "eva"),
    ({"email": ["boss@example.com"], "email_verified": True}, "eva"),
    ({"email": "boss@example.com\nx", "email_verified": True}, "eva"),
    ({}, "eva"),
]


@pytest.mark.parametrize(("claims", "name"), UNVERIFIED)
def test_address_that_nobody_verified_is_nobody(browser, provider, claims, name):
    provider.person("eva", **claims)
    eva = browser()
    eva.sign_in("eva")
    assert eva.visitor() == Actor(name, "viewer")


def test_subject_that_reads_as_an_address_is_told_with_its_issuer(browser, provider):
    provider.person("boss@example.com")
    eva = browser()
    eva.sign_in("boss@example.com")
    assert eva.visitor().name == f"{provider.address}#boss@example.com"


def test_subject_is_told_with_its_issuer_where_there_are_several_providers(browser, provider, auth):
    other = {
        "client_id": "x",
        "client_secret": "y",
        "server_metadata_url": provider.metadata_url,
    }
    auth(other=other)
    assert sign_in.providers() == ["default", "other"]
    provider.person("eva")
    eva = browser()
    eva.sign_in("eva", provider="other")
    assert eva.visitor().name == f"{provider.address}#eva"
    assert eva.cookie()["provider"] == "other"


@pytest.mark.parametrize(
    "lacking", [{"scout_role"}, {"email", "email_verified"}, {"email_verified"}]
)
def test_claims_that_are_told_at_userinfo_only_count(browser, provider, lacking):
    provider.only_at_userinfo = lacking
    ana = browser()
    ana.sign_in()
    assert ana.visitor() == Actor("ana@example.com", "operator")


def test_userinfo_of_somebody_else_is_refused_and_verifies_no_other_address(
    browser, provider, lines
):
    provider.only_at_userinfo = {"email_verified"}
    provider.userinfo_says = {"sub": "ana", "email": "ana2@example.com", "email_verified": True}
    ana = browser()
    ana.sign_in()
    assert ana.visitor() == Actor("ana", "operator")
    lines()
    provider.userinfo_says = {"sub": "boss", "email": "boss@example.com", "email_verified": True}
    other = browser()
    assert other.sign_in() == f"{FIRST}?signin=refused"
    assert other.visitor() is None
    assert [line["reason"] for line in lines()] == ["userinfo"]


LIES = {
    "issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "audience": lambda claims: {**claims, "aud": "somebody-else"},
    "audience of both": lambda claims: {**claims, "aud": "somebody-else", "azp": "scouts"},
    "nonce": lambda claims: {**claims, "nonce": "another"},
    "no nonce": lambda claims: {k: v for k, v in claims.items() if k != "nonce"},
    "exp": lambda claims: {**claims, "exp": int(time.time()) - 3600},
    "subject": lambda claims: {**claims, "sub": "x" * 256},
    "no name": lambda claims: {**claims, "sub": "ana\n"},
    "no subject": lambda claims: {**claims, "sub": ""},
}


@pytest.mark.parametrize("lie", LIES)
def test_token_that_is_not_for_us_signs_nobody_in(browser, provider, lines, lie):
    provider.lie = LIES[lie]
    ana = browser()
    assert ana.sign_in() == f"{FIRST}?signin=refused"
    assert ana.visitor() is None
    (line,) = lines()
    reason = {"audience of both": "audience", "no nonce": "nonce", "exp": line["reason"]}
    reason |= {"no name": "subject", "no subject": "subject"}
    assert line["event"] == "sign-in refused"
    assert line["reason"] == reason.get(lie, lie)
    assert set(line) <= {"event", "topic", "reason", "error"}
    assert rows(read.database().url, "select from scout.sign_ins") == []


def test_token_of_another_key_signs_nobody_in(browser, provider, lines):
    provider.forges = True
    ana = browser()
    assert ana.sign_in() == f"{FIRST}?signin=refused"
    assert ana.visitor() is None
    assert [line["event"] for line in lines()] == ["sign-in refused"]


def test_person_who_says_no_at_the_provider_is_back_without_a_session(browser, lines):
    ana = browser()
    back = ana.consent(ana.begin(), action="deny")
    state = parse_qs(urlsplit(ana.begin()).query)["state"][0]
    answer = ana.go(f"{back}&state={state}" if "state=" not in back else back)
    assert answer.headers["location"].endswith("signin=refused")
    assert ana.visitor() is None
    assert [line["reason"] for line in lines()] == ["access_denied"]


def test_sign_in_that_another_browser_began_is_refused(browser, lines):
    mallory, ana = browser(), browser()
    planted = mallory.consent(mallory.begin(), "ana")
    assert ana.go(planted).headers["location"] == f"{FIRST}?signin=refused"
    assert ana.visitor() is None
    assert [line["reason"] for line in lines()] == ["state"]


def test_sign_in_cannot_be_answered_twice(browser):
    ana = browser()
    back = ana.consent(ana.begin())
    assert ana.go(back).headers["location"] == FIRST
    assert ana.go(back).headers["location"] == f"{FIRST}?signin=refused"
    assert ana.visitor() == Actor("ana@example.com", "operator")


def test_session_is_a_new_one_at_each_sign_in(browser):
    ana = browser()
    ana.sign_in()
    first = ana.client.cookies["_streamlit_user"]
    ana.sign_in()
    assert ana.client.cookies["_streamlit_user"] != first
    # what was planted before is not taken over
    eva = browser()
    eva.client.cookies.set(
        "_streamlit_user", "planted", domain="scouts.example.com", path="/scouts"
    )
    eva.sign_in()
    assert eva.visitor() == Actor("ana@example.com", "operator")


@pytest.mark.parametrize("place", site.PLACES, ids=lambda place: place.name)
def test_link_of_a_colleague_is_where_the_sign_in_leads_to(browser, place):
    link = f"/scouts/{place.address}?kind=SEVERAL_SCOUTS&q=a%26b%3Dc&days=2026-10-01_2026-11-22"
    assert browser().sign_in(to=link) == link


@pytest.mark.parametrize(
    "foreign",
    [
        "//evil.example",
        "//evil.example/scouts/conflicts",
        "https://evil.example",
        "https://evil.example/scouts/conflicts",
        "https:/scouts/conflicts",
        "/\\evil.example",
        "\\\\evil.example",
        "/scouts/conflicts/../../evil",
        "/scouts//evil.example",
        "/scouts/auth/logout",
        "/scouts/api/v1/runs.csv",
        "javascript:alert(1)",
        "/scouts/conflicts\r\nset-cookie: x=y",
        "\t//evil.example",
        "http://[evil",
        "",
    ],
)
def test_sign_in_leads_nowhere_else(browser, foreign):
    target = browser().sign_in(to=foreign)
    assert target in {FIRST, "/scouts/conflicts"} or target.startswith("/scouts/conflicts?")
    assert "evil" not in target
    assert "\r" not in target


def test_filters_that_are_too_long_are_left_out_and_the_page_is_kept(browser):
    assert browser().sign_in(to="/scouts/conflicts?q=" + "x" * 2000) == "/scouts/conflicts"


def test_prompt_is_that_of_the_client_kwargs(browser, auth):
    assert parse_qs(urlsplit(browser().begin()).query)["prompt"] == ["select_account"]
    auth(client_kwargs={"prompt": "login"})
    assert parse_qs(urlsplit(browser().begin()).query)["prompt"] == ["login"]


def test_provider_that_does_not_answer_signs_nobody_in(browser, auth, lines):
    auth(server_metadata_url="http://127.0.0.1:1/x")
    assert browser().begin(to="/scouts/conflicts") == "/scouts/conflicts?signin=refused"
    assert [line["reason"] for line in lines()] == ["provider_unreachable"]


def test_nobody_signs_in_while_the_database_is_away(browser, lines):
    ana = browser()
    back = ana.consent(ana.begin())
    web.cut_off()
    assert ana.go(back).headers["location"] == f"{FIRST}?signin=away"
    assert [line["reason"] for line in lines()] == ["database"]


def post(browser, **headers):
    return browser.client.post(sign_in.LOGOUT, headers=headers, follow_redirects=False)


def test_signing_out_ends_the_session_in_every_browser_and_no_other(
    browser, provider, db_url, lines
):
    ana, at_home, eva = browser(), browser(), browser()
    provider.person("eva", email="eva@example.com", email_verified=True, scout_role="admin")
    ana.sign_in()
    at_home.sign_in()
    eva.sign_in("eva")
    stolen = dict(ana.client.cookies)
    lines()
    answer = post(ana, origin=ORIGIN)
    assert answer.headers["location"] == sign_in.LOGOUT
    assert who.visitor_of(stolen) is None
    assert at_home.visitor() is None
    assert eva.visitor() == Actor("eva@example.com", "admin")
    assert lines() == [
        {"event": "signed out", "topic": "access", "actor": "ana@example.com", "role": "operator"}
    ]
    assert rows(db_url, "select subject, reason, actor from scout.session_ends") == [
        (f"{provider.address}#ana", "SIGNED_OUT", "ana@example.com")
    ]
    # then the browser forgets it, and the provider signs out too
    leaving = ana.go(sign_in.LOGOUT)
    address = urlsplit(leaving.headers["location"])
    assert leaving.headers["location"].startswith(f"{provider.address}/oauth2/end_session?")
    assert {"id_token_hint", "post_logout_redirect_uri"} <= set(parse_qs(address.query))
    assert "_streamlit_user" not in ana.client.cookies
    assert ana.go(f"{ORIGIN}{sign_in.CALLBACK}").headers["location"] == FIRST
    # and who signs in again is in
    ana.sign_in()
    assert ana.visitor() == Actor("ana@example.com", "operator")
    assert who.visitor_of(stolen) is None
    # the copy cannot even sign out
    thief = browser()
    for name, text in stolen.items():
        thief.client.cookies.set(name, text, domain="scouts.example.com", path="/scouts")
    assert post(thief, origin=ORIGIN).status_code == 303
    assert ana.visitor() == Actor("ana@example.com", "operator")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "http://scouts.example.com"},
        {"origin": "https://scouts.example.com:8443"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_page_of_somebody_else_signs_nobody_out(browser, headers):
    ana = browser()
    ana.sign_in()
    assert post(ana, **headers).status_code == 403
    assert ana.visitor() is not None
    assert "_streamlit_user" in ana.client.cookies


def test_link_or_image_signs_nobody_out(browser):
    ana = browser()
    ana.sign_in()
    for _ in range(2):
        assert ana.go(sign_in.LOGOUT).headers["location"] == FIRST
    assert ana.visitor() == Actor("ana@example.com", "operator")
    assert "_streamlit_user" in ana.client.cookies


def test_role_that_changed_at_the_provider_ends_the_older_sessions(browser, provider, db_url):
    ana, again = browser(), browser()
    ana.sign_in()
    again.sign_in()
    assert ana.visitor().role == "operator"  # the same role: both are open
    provider.person("ana", **{**ANA, "scout_role": "viewer"})
    later = browser()
    later.sign_in()
    assert ana.visitor() is None
    assert again.visitor() is None
    assert later.visitor() == Actor("ana@example.com", "viewer")
    assert rows(db_url, "select reason from scout.session_ends") == [("ROLE_CHANGED",)]


def test_session_is_over_after_its_hours(browser, db_url, monkeypatch):
    ana = browser()
    ana.sign_in()

    class Later(datetime):
        ahead = timedelta(hours=12) - timedelta(seconds=30)

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + cls.ahead

    monkeypatch.setattr(sessions, "datetime", Later)
    assert ana.visitor() is not None
    Later.ahead = timedelta(hours=12, seconds=1)
    assert ana.visitor() is None
    assert rows(db_url, "select from scout.session_ends") == []


def told(browser, token, **more):
    return browser.client.post(sign_in.BACKCHANNEL, data={"logout_token": token, **more})


def test_provider_ends_the_sessions_of_a_subject(browser, provider, lines):
    ana, eva = browser(), browser()
    provider.person("eva", email="eva@example.com", email_verified=True)
    ana.sign_in()
    eva.sign_in("eva")
    lines()
    answer = told(browser(), provider.logout_token(sub="ana"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert ana.visitor() is None
    assert eva.visitor() == Actor("eva@example.com", "viewer")
    assert [line["event"] for line in lines()] == ["sessions ended"]


def test_provider_ends_one_session_by_its_sid(browser, provider):
    ana, at_home = browser(), browser()
    provider.lie = lambda claims: {**claims, "sid": "desk"}
    ana.sign_in()
    provider.lie = lambda claims: {**claims, "sid": "home"}
    at_home.sign_in()
    assert told(browser(), provider.logout_token(sid="desk")).status_code == 200
    assert ana.visitor() is None
    assert at_home.visitor() == Actor("ana@example.com", "operator")


BAD_TOKENS = {
    "issuer": {"iss": "https://evil.example"},
    "audience": {"aud": "somebody-else"},
    "no audience": {"aud": None},
    "no event": {"events": None},
    "another event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "an id token": {"events": None, "nonce": "x"},
    "nonce": {"nonce": "x"},
    "no jti": {"jti": None},
    "no iat": {"iat": None},
    "old": {"iat": int(time.time()) - 3600},
    "future": {"iat": int(time.time()) + 3600},
    "expired": {"exp": int(time.time()) - 3600},
    "nobody": {"sub": None},
}


@pytest.mark.parametrize("bad", BAD_TOKENS)
def test_sign_out_that_the_provider_did_not_send_ends_nothing(browser, provider, bad, lines):
    ana = browser()
    ana.sign_in()
    lines()
    assert (
        told(browser(), provider.logout_token(**{"sub": "ana", **BAD_TOKENS[bad]})).status_code
        == 400
    )
    assert ana.visitor() is not None
    assert [line["event"] for line in lines()] == ["sign-out by the provider refused"]


def test_sign_out_of_another_key_again_or_too_long_ends_nothing(browser, provider):
    from joserfc.jwk import RSAKey

    ana = browser()
    ana.sign_in()
    good = provider.logout_token(sub="ana")
    claims = {"iss": provider.address, "aud": "scouts", "iat": int(time.time()), "jti": "1",
              "sub": "ana", "events": {providers.LOGOUT_EVENT: {}}}  # fmt: skip
    assert told(browser(), provider.sign(claims, RSAKey.generate_key(2048))).status_code == 400
    none = "eyJhbGciOiJub25lIn0." + good.split(".")[1] + "."
    for wrong in ("", "x", "a.b.c", none, good[:-4]):
        assert told(browser(), wrong).status_code == 400
    assert told(browser(), good, more="x" * 70_000).status_code == 413
    assert ana.visitor() is not None
    assert told(browser(), good).status_code == 200
    ana.sign_in()
    assert told(browser(), good).status_code == 400
    assert ana.visitor() is not None


def test_while_the_database_is_away_sessions_read_and_do_not_write(browser):
    from scout_core.errors import DatabaseAway

    ana = browser()
    ana.sign_in()
    assert ana.visitor(writes=True) is not None
    web.cut_off()
    assert ana.visitor() == Actor("ana@example.com", "operator")
    with pytest.raises(DatabaseAway):
        ana.visitor(writes=True)


def test_sign_out_while_the_database_is_away_is_known_here_and_kept_later(
    browser, db, db_url, provider
):
    ana, eva = browser(), browser()
    provider.person("eva")
    ana.sign_in()
    eva.sign_in("eva")
    assert ana.visitor() is not None
    web.cut_off()
    assert post(ana, origin=ORIGIN).status_code == 303
    assert ana.visitor() is None
    assert eva.visitor() is not None
    read.use(db, read.settings())
    assert rows(db_url, "select from scout.session_ends") == []
    assert eva.visitor() is not None
    assert rows(db_url, "select subject from scout.session_ends") == [(f"{provider.address}#ana",)]
    assert ana.visitor() is None
    assert sessions._pending == {}


def test_session_that_another_process_ended_is_over_within_seconds(
    browser, db_url, monkeypatch, provider
):
    ana = browser()
    ana.sign_in()
    assert ana.visitor() is not None
    do(
        db_url,
        "insert into scout.session_ends (subject, ended_at, reason, actor) values"
        f" ('{provider.address}#ana', clock_timestamp(), 'ADMIN', 'adela')",
    )
    assert sessions.SECONDS <= 5
    # a write asks anew
    assert ana.visitor(writes=True) is None
    monkeypatch.setattr(sessions, "SECONDS", 0.0)
    assert ana.visitor() is None
