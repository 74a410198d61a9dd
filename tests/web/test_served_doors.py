"""The doors of a running server: what is not there, what is too large, what may not be kept."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import psutil
import pytest
from starlette.routing import Mount
from streamlit import config
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

from tests.support import browser
from tests.support.looking import refreshed_demo
from tests.support.requesting import SOCKET, ask, connected, first_line, upgrade
from ui.doors import routes
from ui.doors.asked import Asked
from ui.parts import site

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
# Streamlit's routes, with what we let through. A new one of a later version is refused; this list
# says so, for somebody to look whether pages need it.
STREAMLIT = {
    "/scouts/_stcore/health": {"GET", "HEAD"},
    "/scouts/_stcore/metrics": {"GET"},
    "/scouts/_stcore/host-config": {"GET"},
    "/scouts/media/{file_id:path}": {"GET", "HEAD"},
    "/scouts/_stcore/stream": {"WEBSOCKET"},
    # the document and Streamlit's programs; below it each file that is there, and nothing else
    "/scouts": {"GET", "HEAD"},
    # where nobody has to sign in
    "/scouts/auth/login": set(),
    "/scouts/auth/logout": set(),
    "/scouts/oauth2callback": set(),
    "/scouts/_stcore/upload_file/{session_id}/{file_id}": set(),
    "/scouts/component/{path:path}": set(),
    "/scouts/_stcore/bidi-components/{path:path}": set(),
    "/scouts/_stcore/agent/interact": set(),
    "/scouts/_stcore/agent/openapi.json": set(),
    "/scouts/_stcore/agent/mcp": set(),
    "/scouts/app/static/{path:path}": set(),
    "/scouts/_stcore/script-health-check": set(),
}


@pytest.fixture
def _all_of_streamlit():
    """Its options that add routes are on."""
    said = {"baseUrlPath": "scouts", "enableStaticServing": True, "scriptHealthCheckEnabled": True}
    kept = {name: config.get_option(f"server.{name}") for name in said}
    for name, value in said.items():
        config.set_option(f"server.{name}", value)
    yield
    for name, value in kept.items():
        config.set_option(f"server.{name}", value)


def is_let_through(path: str, method: str) -> bool:
    kind = "websocket" if method == "WEBSOCKET" else "http"
    scope = {"type": kind, "method": method, "path": path, "headers": [], "root_path": ""}
    return routes.is_known(Asked.of(scope), scope, ())


@pytest.mark.usefixtures("_all_of_streamlit")
def test_each_route_of_streamlit_is_known_and_wanted_or_refused():
    found = {route.path: route for route in create_streamlit_routes(MagicMock())}
    assert set(found) == set(STREAMLIT)
    for pattern, route in found.items():
        if isinstance(route, Mount):
            continue
        path = pattern.replace("{", "").replace(":path}", "").replace("}", "")
        for method in (*METHODS, "WEBSOCKET"):
            assert is_let_through(path, method) is (method in STREAMLIT[pattern]), (path, method)


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("favicon.png", True),
        ("manifest.json", True),
        ("index.html", False),
        ("static/js/none.js", False),
        ("static/../../../server/server_util.py", False),
        ("_stcore/of_a_later_version", False),
        ("upload_file/a/b", False),
    ],
)
@pytest.mark.usefixtures("_all_of_streamlit")
def test_files_of_streamlit_are_there_and_nothing_else(path, there):
    assert is_let_through(f"/scouts/{path}", "GET") is there
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert not is_let_through(f"/scouts/{path}", method)
    assert not is_let_through(f"/{path}", "GET")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served") / "log"


@pytest.fixture(scope="module")
def address(server_url: str, log: Path) -> Iterator[str]:
    """A server of its own on demo data; its log has no traceback in the end."""
    with refreshed_demo(server_url) as database, browser.served(database.url, log) as base:
        yield base
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize(
    "path",
    [
        *("/scouts/x", "/scouts/x/y", "/scouts/attribution-health/x", "/scouts/conflicts/x/y"),
        *("/nothing", "/scoutsx", "/favicon.ico", "/scouts/index.html", "/scouts/static/js/no.js"),
        *("/scouts/component/x", "/scouts/_stcore/agent/mcp", "/scouts/%5Fstcore/upload_file/a/b"),
    ],
)
def test_address_of_nothing_is_a_page_that_leads_on(address, path):
    found = ask(address, path)
    assert found.status == 404
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert found.headers["cache-control"] == "no-store"
    assert found.body.index("Aquí no hay ninguna página") < found.body.index("There is no page")
    assert f'href="/scouts/{site.FIRST.address}"' in found.body
    assert "<script" not in found.body
    assert ask(address, path, "HEAD").body == ""


@pytest.mark.parametrize("path", ["/api", "/api/x", "/api/v1/x/y", "/scouts/api", "/scouts/api/x"])
def test_address_of_nothing_is_a_problem_for_programs(address, path):
    found = ask(address, path)
    assert found.status == 404
    assert found.headers["content-type"] == "application/problem+json"
    assert json.loads(found.body)["type"] == "urn:scout:problem:not-found"


def test_pages_are_there_with_a_slash_at_their_end_too(address):
    for place in site.PLACES:
        assert ask(address, f"/scouts/{place.address}").status == 200
        found = ask(address, f"/scouts/{place.address}/?lang=en")
        assert found.status == 307
        assert found.headers["location"].endswith(f"/scouts/{place.address}?lang=en")


def test_uploads_are_refused_before_a_byte_is_read(address):
    xsrf = ask(address, "/scouts/_stcore/health").cookies[0].partition("=")[2].partition(";")[0]
    port = address.rpartition(":")[2]
    (server,) = [p for p in psutil.Process().children(recursive=True) if port in p.cmdline()]
    before = server.memory_info().rss
    piece = b"%x\r\n%s\r\n" % (1 << 20, b"x" * (1 << 20))
    for method in ("PUT", "POST", "DELETE", "OPTIONS"):
        with connected(address) as end:
            head = (
                f"{method} /scouts/_stcore/upload_file/a/b HTTP/1.1\r\nHost: localhost:{port}\r\n"
                f"X-Xsrftoken: {xsrf}\r\nCookie: _streamlit_xsrf={xsrf}\r\n"
                "Content-Type: multipart/form-data; boundary=b\r\n"
                "Transfer-Encoding: chunked\r\n\r\n"
            )
            end.sendall(head.encode() + piece[:1000])
            assert first_line(end) == "HTTP/1.1 404 Not Found"
            if method == "PUT":
                end.sendall(piece[1000:])
                for _ in range(150):
                    end.sendall(piece)
    # of the 150 that were sent; the server loads things of its own meanwhile
    assert server.memory_info().rss - before < 100 << 20
    assert ask(address, "/livez").status == 200


def described(address: str) -> list[tuple[str, bool]]:
    """Each write of the API: its path, and whether it takes JSON."""
    paths = json.loads(ask(address, "/api/openapi.json").body)["paths"]
    return [
        (f"/api{path.replace('{', '').replace('}', '')}", "requestBody" in methods["post"])
        for path, methods in paths.items()
        if "post" in methods
    ]


JSON = {"Content_Type": "application/json"}
BODIES = {
    "no JSON": b"{",
    "deep": b"[" * 5000 + b"]" * 5000,
    "deep in objects": b'{"reason":' * 5000 + b"1" + b"}" * 5000,
    "bytes": b"\xff\xfe\x00",
    "another shape": b"[]",
    "a number of a million digits": b'{"reason": ' + b"1" * 60_000 + b"}",
    "half a character": b'{"reason": "\\ud800 of the tests, long enough"}',
}


def test_body_that_cannot_be_read_is_a_problem_and_no_traceback(address, log):
    writes = described(address)
    assert len(writes) > 10
    for path, takes_json in writes:
        large = ask(address, path, "POST", b"x" * 200_000, **JSON)
        assert (large.status, large.headers["content-type"]) == (413, "application/problem+json")
        assert "65,536" in json.loads(large.body)["detail"]
        if not takes_json:
            continue
        pieces = ask(address, path, "POST", (b"x" * 10_000 for _ in range(20)), **JSON)
        assert (pieces.status, pieces.body[:38]) == (413, large.body[:38])
        for name, body in BODIES.items():
            found = ask(address, path, "POST", body, **JSON)
            assert 400 <= found.status < 500, (path, name, found.body)
            assert found.headers["content-type"] == "application/problem+json"
        form = ask(address, path, "POST", b"reason=x", Content_Type="text/plain")
        assert form.status == 422
        with connected(address) as end:
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            end.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    time.sleep(0.5)
    said = log.read_text()
    assert "Traceback" not in said
    assert "request failed" not in said


def test_nothing_that_holds_data_is_kept_by_a_browser(address):
    base = "/api/v1/scouts/attribution"
    for path in (
        *(
            f"{base}/metrics",
            f"{base}/conflicts.csv",
            f"{base}/conflicts.xlsx",
            "/api/openapi.json",
        ),
        *("/livez", "/readyz", "/health", "/metrics", "/scouts/_stcore/health", "/api/docs"),
        *("/scouts/_stcore/metrics", "/scouts/media/none.csv", "/scouts/api/v1/nothing"),
    ):
        assert ask(address, path).headers["cache-control"] == "no-store", path
    document = ask(address, "/scouts/conflicts")
    assert document.headers["cache-control"] == "no-cache"
    script = document.body.partition('src="./static/')[2].partition('"')[0]
    assert "immutable" in ask(address, f"/scouts/static/{script}").headers["cache-control"]
    assert "max-age" in ask(address, "/api/docs/swagger-ui.css").headers["cache-control"]


def test_websocket_is_there_for_pages_of_this_server_in_any_spelling(address):
    port = address.rpartition(":")[2]
    for host, origin in (
        (f"localhost:{port}", f"http://localhost:{port}"),
        (f"LOCALHOST.:{port}", f"HTTP://Localhost:{port}"),
    ):
        assert upgrade(address, Host=host, Origin=origin) == 101
    assert upgrade(address, Origin=f"http://localhost:{port}.evil.example") == 403
    assert ask(address, SOCKET).status == 404


def test_what_was_refused_is_in_the_log(address, log):
    for _ in range(3):
        assert ask(address, "/scouts", Host="evil.example").status == 400
        assert ask(address, "/api/x", "POST", Origin="http://evil.example:1").status == 403
    lines = [json.loads(line) for line in log.read_text().splitlines() if '"refused"' in line]
    assert [x["reason"] for x in lines if x["host"] == "evil.example"] == ["host"]
    assert [x["reason"] for x in lines if x["origin"] == "http://evil.example:1"] == ["origin"]
