"""Only pages of this server may write or connect, whatever a proxy makes of its name."""

import pytest

from api import app as api_app
from tests.support import shielded
from tests.support.asking import Asking
from tests.support.shielded import OUTSIDE, STREAM, ask, passes, status
from ui.parts import shield


@pytest.fixture(autouse=True)
def _configured():
    with shielded.configured():
        yield


@pytest.fixture
def signs_in():
    """People sign in, at the address that it is called with."""
    with shielded.signing_in() as set_up:
        yield set_up


OURS = ["http://localhost:3000", "HTTP://LOCALHOST:3000", "http://localhost.:3000"]
FOREIGN = [
    *("http://localhost:3000.evil.example", "http://localhost:3001", "https://localhost:3000"),
    *("http://localhost", "http://evil.example", "null", "", "localhost:3000", "//localhost:3000"),
    *("http://localhost:3000/", "http://localhost:3000/x", "http://a@localhost:3000", "ws://"),
    *("http://127.0.0.1:3000", "http://localhost:3000 ", "http://localhost:3000, null"),
    *("http://localhost:3000\u00e9", "file://localhost:3000", "http://[::1]:3000", "*"),
]


def writes():
    """Every write of the API, and what else takes something."""
    described = api_app.build(Asking(None).services).openapi()["paths"]
    found = [
        (f"/api{path}", method.upper())
        for path, methods in described.items()
        for method in methods
        if method.upper() not in shield.SAFE
    ]
    assert len(found) > 10
    return [*found, *(("/scouts", method) for method in ("POST", "PUT", "PATCH", "DELETE"))]


@pytest.mark.parametrize(("path", "method"), [*writes(), (STREAM, "WEBSOCKET")], ids=" ".join)
def test_only_pages_of_this_server_may_write_or_connect(path, method):
    for origin in OURS:
        assert passes(path, method, origin=origin)
    for origin in FOREIGN:
        assert not passes(path, method, origin=origin), origin
    assert passes(path, method)
    assert not passes(path, method, origins=(OURS[0], FOREIGN[0]))
    assert not passes(path, method, origins=(OURS[0], OURS[0]))
    for site, own in (
        *(("same-origin", True), ("none", True)),
        *(("cross-site", False), ("same-site", False), ("Cross-Site", False), ("", False)),
    ):
        assert passes(path, method, sec_fetch_site=site, origin=OURS[0]) is own
        assert passes(path, method, sec_fetch_site=site) is own


def test_links_of_others_lead_here_and_their_pages_may_look_at_what_they_cannot_read():
    assert status(sec_fetch_site="cross-site") == 200
    messages = ask("/api/v1/x", origin="https://evil.example", sec_fetch_site="cross-site")
    assert messages[0]["status"] == 200
    # what stands behind does not see it: Streamlit would ask the internet for its own address
    assert b"origin=" not in messages[1]["body"]
    assert b"origin=http://localhost:3000" in ask(origin="http://localhost:3000")[1]["body"]


@pytest.mark.parametrize(
    ("host", "origin", "passed"),
    [
        ("scouts.example.com", OUTSIDE, True),
        ("scouts.example.com:443", OUTSIDE, True),
        ("Scouts.Example.com.", "https://SCOUTS.example.com:443", True),
        ("scouts.example.com", "http://scouts.example.com", False),
        ("scouts.example.com", "https://scouts.example.com:8443", False),
        ("scouts.example.com", "https://example.com", False),
        ("scouts.example.com", "https://x.scouts.example.com", False),
        # another port is not what redirect_uri names, so the scheme is that of the connection
        ("scouts.example.com:8443", "https://scouts.example.com:8443", False),
        # the machine itself, beside the proxy
        ("localhost:3000", "http://localhost:3000", True),
        ("localhost:3000", OUTSIDE, False),
    ],
)
@pytest.mark.parametrize("outside", [OUTSIDE, "https://Scouts.example.com:443"])
def test_scheme_is_the_one_outside_behind_a_proxy(signs_in, host, origin, passed, outside):
    signs_in(outside)
    stream = (STREAM, "WEBSOCKET")
    assert passes("/api/v1/x", "POST", host=host, origin=origin) is passed
    assert passes(*stream, host=host, origin=origin) is passed
    if passed and host != "localhost:3000":
        seen = ask("/api/v1/x", method="POST", host=host, origin=origin)[1]["body"].decode()
        # Streamlit compares both with redirect_uri, and as text
        assert seen.split("\n") == [f"host={outside.partition('//')[2]}", f"origin={outside}"]


def test_public_url_says_the_scheme_too(signs_in):
    signs_in("https://localhost")
    named = {"host": "scouts.example.com", "origin": OUTSIDE}
    assert not passes("/api/v1/x", "POST", **named)
    assert passes("/api/v1/x", "POST", public_url=OUTSIDE, **named)
