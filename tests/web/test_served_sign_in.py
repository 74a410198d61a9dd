"""A server whose sign-in is set up unsoundly does not start; one whose sign-in becomes so while it
runs, closes; and a session that was signed with a weak secret opens nothing."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import browser, secrets_toml
from tests.support.looking import installed
from tests.support.requesting import ask, upgrade
from tests.support.server import ROOT

EXAMPLE = ROOT / ".streamlit" / "secrets.toml.example"
ORIGIN = "https://scouts.example.com"
METRICS = "/scouts/api/v1/scouts/attribution/metrics"
# name -> what of [auth] is changed, further options of the server, what it says
UNSOUND: dict[str, tuple[dict[str, str] | str, tuple[str, ...], str]] = {
    "the example as it is": (EXAMPLE.read_text(), (), "lacks cookie_secret, client_id, client_"),
    "an empty section": ("[auth]\n", (), "lacks cookie_secret, redirect_uri, client_id"),
    "no toml": ("[auth\n", (), "it is no TOML (at line 1"),
    "no secret": ({"cookie_secret": ""}, (), "lacks cookie_secret"),
    "a short secret": ({"cookie_secret": "changeme"}, (), "cookie_secret in [auth]"),
    "a repeated secret": ({"cookie_secret": "x" * 64}, (), "follows a pattern"),
    "no client": ({"client_id": ""}, (), "lacks client_id"),
    "no provider": ({"server_metadata_url": ""}, (), "lacks server_metadata_url"),
    "a provider by http": (
        {"server_metadata_url": "http://id.example.com/x"},
        (),
        "server_metadata_url in [auth]",
    ),
    "no way back": ({"redirect_uri": ""}, (), "lacks redirect_uri"),
    "a way back by http": (
        {"redirect_uri": "http://scouts.example.com/scouts/oauth2callback"},
        (),
        "redirect_uri in [auth]",
    ),
    "a way back to elsewhere": ({"redirect_uri": f"{ORIGIN}/x"}, (), "redirect_uri in [auth]"),
    "another name": (
        "[roles]\n",
        ("--server.allowedHosts", "localhost", "--server.allowedHosts", "scouts.example.com"),
        "server.allowedHosts names scouts.example.com",
    ),
    "a public address": ("[roles]\n", (), "SCOUT_PUBLIC_URL names scouts.example.com"),
}


UNDER_UVICORN = "the example as it is, under uvicorn"


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", [*UNSOUND, UNDER_UVICORN])
def test_server_does_not_start_and_says_why_in_one_sentence(tmp_path, name):
    written, options, said = UNSOUND[name.partition(",")[0]]
    file = tmp_path / ".streamlit" / "secrets.toml"
    file.parent.mkdir()
    if isinstance(written, str):
        file.write_text(written)
    else:
        secrets_toml.write(file, ORIGIN, **written)
    port = str(browser.free_port())
    command = ["-m", "streamlit", "run", "app.py", "--server.port", port, *options]
    if name == UNDER_UVICORN:
        command = ["-m", "uvicorn", "app:app", "--port", port]
    # Streamlit looks there too
    env = os.environ | {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    env["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    if name == "a public address":
        env["SCOUT_PUBLIC_URL"] = ORIGIN
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert ended.returncode == 2, ended.stdout + ended.stderr
    (sentence,) = ended.stderr.splitlines()
    assert said in sentence
    assert sentence.endswith(".")
    assert "x" * 64 not in sentence


@pytest.fixture(scope="module")
def secrets_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("secrets") / "secrets.toml"
    secrets_toml.write(file, ORIGIN)
    return file


@pytest.fixture(scope="module")
def address(
    server_url: str, secrets_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server where people sign in at scouts.example.com."""
    log = tmp_path_factory.mktemp("served") / "log"
    options = ("--secrets.files", str(secrets_file))
    for host in ("localhost", "scouts.example.com"):
        options += ("--server.allowedHosts", host)
    with installed(server_url) as database, browser.served(database.url, log, *options) as base:
        yield base


def status(address: str, secret: str) -> int:
    """What somebody sees who has a session that was signed with this secret."""
    cookie = secrets_toml.cookie(secret, ORIGIN)
    return ask(address, METRICS, Host="scouts.example.com", Cookie=cookie).status


@pytest.mark.parametrize(
    "secret",
    ["", "changeme", "x" * 64, secrets_toml.SECRET[:-1]],
    ids=["empty", "a word", "one letter", "a part"],
)
def test_session_signed_with_another_secret_opens_nothing(address, secret):
    assert status(address, secret) == 401
    assert status(address, secrets_toml.SECRET) == 200


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/scouts/attribution-health", 200),
        ("/scouts/_stcore/health", 200),
        ("/scouts/api/v1/nothing", 404),
        ("/livez", 200),
        ("/nothing", 404),
        ("/scouts/auth/logout", 302),
    ],
)
def test_every_cookie_and_answer_is_for_https_only_where_the_address_is(address, path, expected):
    found = ask(address, path, Host="scouts.example.com")
    assert found.status == expected
    assert found.headers["strict-transport-security"] == "max-age=31536000"
    assert all("; secure" in cookie.lower() for cookie in found.cookies)


def test_streamlits_own_cookie_is_among_them(address):
    (cookie,) = ask(address, "/scouts/_stcore/health", Host="scouts.example.com").cookies
    assert cookie.startswith("_streamlit_xsrf=")
    assert cookie.endswith("; Secure")


@pytest.mark.parametrize("host", ["scouts.example.com", "SCOUTS.example.com:443"])
def test_page_behind_a_proxy_with_tls_may_connect_however_the_name_is_written(address, host):
    assert upgrade(address, Host=host, Origin=ORIGIN) == 101
    assert upgrade(address, Host=host, Origin=ORIGIN, X_Forwarded_For="10.0.0.9") == 101
    assert upgrade(address, Host=host, Origin="http://scouts.example.com") == 403
    assert upgrade(address, Host=host, Origin=f"{ORIGIN}.evil.example") == 403
    assert upgrade(address, Host=host, Origin=ORIGIN, Sec_Fetch_Site="same-site") == 403


def test_sign_in_that_becomes_unsound_while_the_server_runs_closes_it(address, secrets_file):
    def wait_for(expected: int) -> None:
        until = time.monotonic() + 20
        while status(address, secrets_toml.SECRET) != expected:
            assert time.monotonic() < until
            time.sleep(0.1)

    wait_for(200)
    secrets_toml.write(secrets_file, ORIGIN, cookie_secret="changeme")
    wait_for(503)
    assert status(address, "changeme") == 503
    for path in ("/scouts/attribution-health", "/livez", METRICS):
        assert ask(address, path).status == 503
    assert upgrade(address, Host="scouts.example.com", Origin=ORIGIN) == 403
    secrets_toml.write(secrets_file, ORIGIN)
    wait_for(200)
    assert status(address, "changeme") == 401
    secrets_file.unlink()
    time.sleep(2)
    assert ask(address, METRICS).status in {401, 503}
