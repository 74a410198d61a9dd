"""What stands before every answer of the server: hosts, origins, addresses, headers."""

import asyncio
import base64
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.routing import Mount, Route
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton

from api import app as api_app
from scout_core.errors import SettingsError
from tests.support.asking import Asking
from ui import shield
from ui.doors import account, answers, auth, origins, refusals

HOSTS = ["localhost", "127.0.0.1", "::1"]
OWN = [
    Route("/scouts", lambda _: None),
    Route("/metrics", lambda _: None),
    Mount("/api", routes=[]),
]
OUTSIDE = "https://scouts.example.com"


@pytest.fixture(autouse=True)
def _configured():
    config.set_option("server.allowedHosts", HOSTS)
    config.set_option("server.baseUrlPath", "scouts")
    yield
    config.set_option("server.allowedHosts", [])
    config.set_option("server.baseUrlPath", "")


@pytest.fixture
def signs_in():
    """People sign in, at the address that it is called with."""
    kept = secrets_singleton._secrets

    def set_up(outside=OUTSIDE):
        secrets_singleton._secrets = {
            "auth": {
                "cookie_secret": hashlib.sha256(b"of the tests").hexdigest(),
                "redirect_uri": f"{outside}/scouts/oauth2callback",
                "client_id": "scouts",
                "client_secret": "x",
                "server_metadata_url": "https://id.example.com/.well-known/openid-configuration",
            }
        }
        config.set_option("server.allowedHosts", [*HOSTS, "scouts.example.com"])
        assert auth.fault() is None

    yield set_up
    secrets_singleton._secrets = kept


async def _app(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"x-frame-options", b"ALLOW"),
                (b"cache-control", b"public, max-age=60"),
                (b"set-cookie", b"a=1; Path=/; secure"),
                (b"Set-Cookie", b"secure=2; Path=/"),
            ],
        }
    )
    seen = [name + b"=" + value for name, value in scope["headers"]]
    await send({"type": "http.response.body", "body": b"\n".join(seen)})


def ask(
    path="/scouts",
    *,
    kind="http",
    method="GET",
    client="127.0.0.1",
    server="127.0.0.1",
    version="1.1",
    public_url=None,
    origins=(),
    **headers,
):
    """The messages that the shield sends."""
    sent = []
    named = {"host": "localhost:3000"} | {k.replace("_", "-"): v for k, v in headers.items()}
    pairs = [*named.items(), *(("origin", origin) for origin in origins)]
    scope = {
        "type": kind,
        "path": path,
        "method": method,
        "client": (client, 5000),
        "server": (server, 3000),
        "http_version": version,
        "headers": [(k.encode(), v.encode("latin-1")) for k, v in pairs if v is not None],
    }

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    made = shield.Shield(_app, OWN, monitors=("/metrics",), public_url=public_url)
    # a loop of its own: that of the browser's driver runs in the main thread
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, made(scope, receive, send)).result()
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
    assert ask("/scouts/_stcore/stream", kind="websocket", host=host)[0]["type"] == (
        "websocket.close"
    )


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


def passes(path, method, **how):
    if method == "WEBSOCKET":
        return ask(path, kind="websocket", **how)[0]["type"] == "websocket.accept"
    found = status(path, method=method, **how)
    assert found in {200, 403}
    return found == 200


@pytest.mark.parametrize(
    ("path", "method"), [*writes(), ("/scouts/_stcore/stream", "WEBSOCKET")], ids=" ".join
)
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
    stream = ("/scouts/_stcore/stream", "WEBSOCKET")
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


def test_metrics_answer_to_this_machine_only(signs_in):
    metrics = "/scouts/_stcore/metrics"
    assert status(metrics) == 200
    assert status(metrics, client="10.0.0.9") == 403
    signs_in()
    assert status(metrics) == 200
    assert status(metrics, client="10.0.0.9") == 403
    assert status(f"{metrics}/", client="10.0.0.9") == 403
    assert status(metrics, x_forwarded_for="10.0.0.9") == 403
    assert status(metrics, via="1.1 x") == 403
    assert status(metrics, version="1.0") == 403
    assert status("/scouts/_stcore/host-config", x_forwarded_for="10.0.0.9") == 200


PROXIES = [
    *("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Anything"),
    *("X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "X-Cluster-Client-IP"),
    *("X-Original-Forwarded-For", "Fastly-Client-IP", "X-Envoy-External-Address", "CDN-Loop"),
    *("X-Amzn-Trace-Id", "X-Azure-ClientIP", "X-Original-URL", "Tailscale-User-Login"),
]
PLACES = ["/scouts", "/api/v1/x", "/metrics", "/scouts/_stcore/health", "/scouts/media/x.csv"]


@pytest.mark.parametrize("header", PROXIES)
def test_proxy_that_says_so_is_refused_while_nobody_signs_in(signs_in, header):
    how = {header.replace("-", "_"): ""}
    for path in PLACES:
        assert status(path, **how) == 403
    assert not passes("/scouts/_stcore/stream", "WEBSOCKET", **how)
    signs_in()
    for path in PLACES:
        assert status(path, **how) == 200
    assert passes("/scouts/_stcore/stream", "WEBSOCKET", **how)


def test_proxy_that_speaks_as_long_ago_is_refused_while_nobody_signs_in(signs_in):
    for path in PLACES:
        assert status(path, version="1.0") == 403
    signs_in()
    for path in PLACES:
        assert status(path, version="1.0") == 200


@pytest.mark.parametrize(
    ("uid", "served"),
    [(0, True), (None, True), (1000, True), (65534, False), (33, False), (61200, False)],
)
def test_program_of_the_system_is_a_proxy_while_nobody_signs_in(monkeypatch, signs_in, uid, served):
    monkeypatch.setattr(account, "_kept", lambda *_: uid)
    assert (status() == 200) is served
    assert passes("/scouts/_stcore/stream", "WEBSOCKET") is served
    # a monitor has an account of the system too
    assert status("/metrics") == 200
    assert status("/scouts/_stcore/metrics") == 200
    monkeypatch.setattr(account.os, "geteuid", lambda: uid)
    assert status() == 200
    monkeypatch.setattr(account.os, "geteuid", lambda: 4242)
    signs_in()
    assert status() == 200


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


def test_what_was_refused_is_a_line_of_the_log_once_a_minute(capsys):
    made = shield.Shield(_app, OWN)
    shown = "evil\u00e9\n.example" + "x" * 500
    for _ in range(5):
        for host, origin in (("localhost:3000", shown), (shown, None), ("a.example", None)):
            scope = {"type": "http", "method": "POST", "path": "/api/x"}
            pairs = [("host", host), *([("origin", origin)] if origin else [])]
            scope["headers"] = [(k.encode(), v.encode("latin-1")) for k, v in pairs]
            asked = refusals.Asked.of(scope)
            refusal = refusals.find(asked, origins.own(asked, ()))
            made.noted.note(refusal, asked)
    captured = capsys.readouterr()
    lines = [line for line in (captured.out + captured.err).splitlines() if "refused" in line]
    assert len(lines) == 3
    clean = "evil??.example"
    assert "reason=origin" in lines[0]
    assert f"origin={clean}" in lines[0].replace("'", "")
    assert "host=localhost:3000" in lines[0].replace("'", "")
    assert f"host={clean}" in lines[1].replace("'", "")
    assert all(len(line) < 400 for line in lines)


def test_many_names_make_no_flood_in_the_log_and_none_in_memory(capsys):
    noted = refusals.Noted()
    for number in range(3000):
        scope = {"type": "http", "method": "GET", "path": "/"}
        scope["headers"] = [(b"host", f"h{number}.example".encode())]
        noted.note(refusals.Refusal(400, "host"), refusals.Asked.of(scope))
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("reason=host") == refusals.LINES_PER_MINUTE
    assert len(noted._at) <= refusals.KEPT


def test_start_of_uvicorn_on_another_address_is_refused(monkeypatch):
    config.set_option("server.address", "127.0.0.1")
    monkeypatch.setattr("sys.argv", ["uvicorn", "app:app", "--host", "0.0.0.0"])  # noqa: S104
    with pytest.raises(SettingsError, match=r"0\.0\.0\.0"):
        shield.refuse_open_door()
