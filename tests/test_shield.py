"""What stands before every answer of the server: hosts, origins, addresses, headers."""

import asyncio
import base64
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from streamlit import config

from scout_core.errors import SettingsError
from ui import shield

HOSTS = ["localhost", "127.0.0.1", "::1"]


@pytest.fixture(autouse=True)
def _hosts():
    config.set_option("server.allowedHosts", HOSTS)
    yield
    config.set_option("server.allowedHosts", [])


async def _app(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"ALLOW")]}
    )
    await send({"type": "http.response.body", "body": b"ours"})


def ask(
    path="/scouts", *, kind="http", method="GET", client="127.0.0.1", server="127.0.0.1", **headers
):
    """The messages that the shield sends."""
    sent = []
    named = {"host": "localhost:3000"} | {k.replace("_", "-"): v for k, v in headers.items()}
    scope = {
        "type": kind,
        "path": path,
        "method": method,
        "client": (client, 5000),
        "server": (server, 3000),
        "headers": [(k.encode(), v.encode()) for k, v in named.items() if v is not None],
    }

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    # a loop of its own: that of the browser's driver runs in the main thread
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, shield.Shield(_app)(scope, receive, send)).result()
    return sent


def status(*args, **named):
    return ask(*args, **named)[0]["status"]


def headers_of(messages):
    return {k.decode(): v.decode() for k, v in messages[0]["headers"]}


def test_every_answer_carries_the_headers_and_ours_replace_those_of_others():
    for messages in (ask(), ask(host="evil.example")):
        found = headers_of(messages)
        assert found["x-frame-options"] == "DENY"
        assert found["x-content-type-options"] == "nosniff"
        assert found["referrer-policy"] == "same-origin"
        assert "camera=()" in found["permissions-policy"]
        assert "frame-ancestors 'none'" in found["content-security-policy"]
        names = [k for k, _ in messages[0]["headers"]]
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


@pytest.mark.parametrize("host", ["localhost", "localhost:3000", "127.0.0.1:80", "[::1]:3000"])
def test_own_names_are_served(host):
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "", None, "localhost@evil.example", "10.0.0.1"],
)
def test_foreign_names_are_refused_on_every_route(host):
    assert status(host=host) == 400
    assert status("/api/v1/anything", host=host) == 400
    assert ask("/scouts/_stcore/stream", kind="websocket", host=host)[0]["type"] == (
        "websocket.close"
    )


def test_websocket_is_open_to_pages_of_this_server_only():
    stream = "/scouts/_stcore/stream"
    same = ask(stream, kind="websocket", origin="http://localhost:3000")
    assert same[0]["type"] == "websocket.accept"
    for origin in ("http://evil.example", "http://localhost:9999", "null"):
        refused = ask(stream, kind="websocket", origin=origin)
        assert refused[0]["type"] == "websocket.close"


def test_nothing_is_taken_from_pages_of_others_wherever_it_goes():
    for path in ("/api/v1/scouts/attribution/run-now", "/scouts/_stcore/upload_file/x", "/"):
        for origin in ("https://evil.example", "null", "http://localhost:3001"):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                assert status(path, method=method, origin=origin) == 403
        assert status(path, method="POST", origin="http://localhost:3000") == 200
        assert status(path, method="POST") == 200
        assert status(path, origin="https://evil.example") == 200


def test_metrics_answer_to_this_machine_only():
    metrics = "/scouts/_stcore/metrics"
    assert status(metrics) == 200
    assert status(metrics, client="10.0.0.9") == 403
    assert status(metrics, x_forwarded_for="10.0.0.9") == 403
    assert status("/scouts/_stcore/host-config", x_forwarded_for="10.0.0.9") == 200


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


def test_start_of_uvicorn_on_another_address_is_refused(monkeypatch):
    config.set_option("server.address", "127.0.0.1")
    monkeypatch.setattr("sys.argv", ["uvicorn", "app:app", "--host", "0.0.0.0"])  # noqa: S104
    with pytest.raises(SettingsError, match=r"0\.0\.0\.0"):
        shield.refuse_open_door()
