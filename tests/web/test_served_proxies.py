"""A proxy on the same machine before a server where nobody signs in: it is refused, whatever is
asked, so that nobody beyond this machine becomes its admin."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import browser, nginx
from tests.support.looking import installed
from tests.support.requesting import ask, upgrade

BASE = "/api/v1/scouts/attribution"
JSON = {"Content_Type": "application/json"}
ASKED = {
    "a page": ("/scouts/attribution-health", "GET", None),
    "the first page": ("/", "GET", None),
    "a run": (f"{BASE}/run-now", "POST", None),
    "a file in clear": (f"{BASE}/conflicts.csv", "POST", b'{"reason": "a long enough reason"}'),
    "a file": (f"{BASE}/conflicts.csv", "GET", None),
    "a number": (f"{BASE}/metrics", "GET", None),
    "the health": ("/health", "GET", None),
    "the metrics": ("/metrics", "GET", None),
    "a health of Streamlit": ("/scouts/_stcore/health", "GET", None),
    "a program": ("/scouts/favicon.png", "GET", None),
}
SILENT = 'proxy_http_version 1.1; proxy_set_header Connection "";'
WITH_SOCKET = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
    ' proxy_set_header Connection "upgrade";'
)
NAMED = " proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served") / "log"


@pytest.fixture(scope="module")
def address(server_url: str, log: Path) -> Iterator[str]:
    """A server where nobody signs in, as it starts by itself."""
    with installed(server_url) as database, browser.served(database.url, log) as base:
        yield base


@pytest.fixture(scope="module")
def plain(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same behind nginx with proxy_pass and nothing else."""
    target = address.replace("localhost", "127.0.0.1")
    with nginx.proxied(target, tmp_path_factory.mktemp("nginx")) as proxy:
        yield proxy


@pytest.mark.parametrize("what", ASKED)
def test_nothing_is_served_through_a_proxy_of_any_guide(address, plain, what):
    path, method, body = ASKED[what]
    assert ask(address, path, method, body, **JSON).status < 400
    found = ask(plain, path, method, body, **JSON)
    assert found.status == 403
    if path.startswith("/api"):
        assert found.headers["content-type"] == "application/problem+json"
    else:
        assert found.headers["content-type"] == "text/html; charset=utf-8"
        assert found.body.index("Nadie inicia sesión") < found.body.index("Nobody signs in")
        assert "HTTP/1.0" in found.body
        assert "secrets.toml" in found.body
        assert "<script" not in found.body


def test_page_does_not_connect_through_it(address, plain, tmp_path):
    port = address.rpartition(":")[2]
    assert upgrade(address, Origin=address) == 101
    assert upgrade(plain, Host=f"localhost:{port}", Origin=address) == 403
    with nginx.proxied(address, tmp_path, WITH_SOCKET + NAMED) as proxy:
        assert upgrade(proxy, Host=f"localhost:{port}", Origin=address) == 403
        assert upgrade(proxy) == 403


def test_log_says_that_it_was_a_proxy(plain, log):
    assert ask(plain, "/scouts/attribution-health").status == 403
    assert '"sign": "HTTP/1.0"' in log.read_text()


def test_proxy_that_says_nothing_of_itself_shows_by_its_account(address, tmp_path):
    """As nginx speaks by itself since 1.29.7."""
    if not Path("/proc/net/tcp").exists() or os.geteuid() != 0:
        pytest.skip("ONLY ROOT ON LINUX CAN START NGINX UNDER AN ACCOUNT OF THE SYSTEM")
    import grp
    import pwd

    account = pwd.getpwuid(1)
    tmp_path.chmod(0o755)
    named = f"{account.pw_name} {grp.getgrgid(account.pw_gid).gr_name}"
    target = address.replace("localhost", "127.0.0.1")
    with nginx.proxied(target, tmp_path, SILENT, named) as proxy:
        for path, method, body in ASKED.values():
            if path in {"/health", "/metrics"}:
                # programs of the system may look
                continue
            assert ask(proxy, path, method, body, **JSON).status == 403, path
    with nginx.proxied(target, tmp_path, WITH_SOCKET, named) as proxy:
        assert upgrade(proxy) == 403
