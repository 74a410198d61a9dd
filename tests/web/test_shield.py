"""What stands before every answer of the server: names, headers, and what must hold
before it starts."""

import base64
import hashlib
import re

import pytest
from streamlit import config

from scout_core.errors import SettingsError
from tests.support import shielded
from tests.support.shielded import HOSTS, OUTSIDE, STREAM, ask, headers_of, status
from ui.doors import answers, auth
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


def test_every_answer_carries_the_headers_and_ours_replace_those_of_others():
    for messages in (ask(), ask(host="evil.example")):
        found = headers_of(messages)
        assert found["x-frame-options"] == "DENY"
        assert found["x-content-type-options"] == "nosniff"
        assert found["referrer-policy"] == "same-origin"
        assert "camera=()" in found["permissions-policy"]
        assert "frame-ancestors 'none'" in found["content-security-policy"]
        names = [k.lower() for k, _ in messages[0]["headers"] if k.lower() != b"set-cookie"]
        assert len(names) == len(set(names))


def test_policy_allows_the_scripts_of_the_document_by_their_hash_and_no_others():
    policy = headers_of(ask())["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in scripts
    assert "'unsafe-eval'" not in scripts
    inline = re.findall(r"<script>(.*?)</script>", shield.index_html(), re.DOTALL)
    assert inline
    for code in inline:
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in scripts


def test_document_names_no_other_server_and_is_in_spanish():
    document = shield.index_html()
    assert '<html lang="es">' in document
    assert re.findall(r'(?:src|href)="(?:https?:)?//', document) == []


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:3000", "LOCALHOST:3000", "localhost.", "127.0.0.1:80", "[::1]:3000"],
)
def test_own_names_are_served(host):
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "localhost.evil.example", "", None, "localhost@evil.example"),
        *("10.0.0.1", "localhost:x", "localhost:99999999", "localhost;x", "localhost localhost"),
    ],
)
def test_foreign_names_are_refused_on_every_route(host):
    assert status(host=host) == 400
    assert status("/api/v1/anything", host=host) == 400
    assert ask(STREAM, kind="websocket", host=host)[0]["type"] == ("websocket.close")


def test_request_through_another_address_is_refused_while_nobody_signs_in():
    assert status(server="10.0.0.1") == 403
    assert status(server="::1") == 200


@pytest.mark.parametrize("address", ["0.0.0.0", "10.0.0.1", "scouts.example.com", "::"])  # noqa: S104
def test_start_on_another_address_is_refused_in_one_sentence(address, monkeypatch):
    monkeypatch.setattr(config, "_server_mode", "starlette-app")
    config.set_option("server.address", address)
    try:
        with pytest.raises(SettingsError, match="nobody has to sign in") as refused:
            shield.refuse_open_door()
    finally:
        config.set_option("server.address", "127.0.0.1")
    assert refused.value.message.count("\n") == 0
    shield.refuse_open_door()


@pytest.mark.parametrize("host", ["scouts.example.com", "*", "*.example.com", "10.0.0.1"])
def test_start_under_another_name_is_refused_in_one_sentence(host, monkeypatch):
    monkeypatch.setattr(config, "_server_mode", "starlette-app")
    config.set_option("server.address", "127.0.0.1")
    shield.refuse_open_door("http://localhost:3000")
    config.set_option("server.allowedHosts", [*HOSTS, host])
    with pytest.raises(SettingsError, match=r"server\.allowedHosts names ") as refused:
        shield.refuse_open_door()
    assert host in refused.value.message
    config.set_option("server.allowedHosts", HOSTS)
    with pytest.raises(SettingsError, match=r"SCOUT_PUBLIC_URL names scouts\.example\.com"):
        shield.refuse_open_door(OUTSIDE)


def test_start_under_another_name_is_taken_where_people_sign_in(signs_in, monkeypatch):
    monkeypatch.setattr(auth, "_started_with_sign_in", False)
    signs_in()
    shield.refuse_open_door(OUTSIDE)


def test_cookies_go_by_https_only_and_browsers_keep_to_it_where_the_address_is_https(signs_in):
    def cookies(messages):
        return [v.decode() for k, v in messages[0]["headers"] if k.lower() == b"set-cookie"]

    assert cookies(ask()) == ["a=1; Path=/; secure", "secure=2; Path=/"]
    assert "strict-transport-security" not in headers_of(ask())
    signs_in()
    assert cookies(ask()) == ["a=1; Path=/; secure", "secure=2; Path=/; Secure"]
    for messages in (ask(), ask(host="evil.example"), ask("/nothing"), ask("/api/x", method="PUT")):
        assert headers_of(messages)["strict-transport-security"] == "max-age=31536000"
    signs_in("http://localhost:3000")
    assert "strict-transport-security" not in headers_of(ask())


def test_nothing_that_holds_data_is_kept_by_a_browser():
    for path in ("/api/v1/x", "/metrics", "/scouts/media/x.csv", "/scouts/_stcore/health", "/no"):
        assert headers_of(ask(path))["cache-control"] == "no-store"
    for path in ("/scouts/favicon.png", "/api/docs/swagger-ui.css"):
        assert headers_of(ask(path))["cache-control"] == "public, max-age=60"
    assert headers_of(ask("/scouts/favicon.png", host="no"))["cache-control"] == "no-store"


def test_headers_of_many_names_are_not_all_kept():
    config.set_option("server.allowedHosts", ["*.example.com"])
    for number in range(300):
        assert status(host=f"h{number}.example.com") == 200
    assert answers._headers_of.cache_info().currsize <= 64


def test_start_of_uvicorn_on_another_address_is_refused(monkeypatch):
    config.set_option("server.address", "127.0.0.1")
    monkeypatch.setattr("sys.argv", ["uvicorn", "app:app", "--host", "0.0.0.0"])  # noqa: S104
    with pytest.raises(SettingsError, match=r"0\.0\.0\.0"):
        shield.refuse_open_door()
