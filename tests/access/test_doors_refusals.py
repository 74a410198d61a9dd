"""What a proxy passes on is refused while nobody signs in; each refusal is a line
of the log, and no flood."""

import json

import pytest
import structlog

from scout_core import logs
from tests.support import shielded
from tests.support.shielded import STREAM, passes, status
from ui.doors import account, origins, refusals


@pytest.fixture(autouse=True)
def _configured():
    with shielded.configured():
        yield


@pytest.fixture
def signs_in():
    """People sign in, at the address that it is called with."""
    with shielded.signing_in() as set_up:
        yield set_up


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
    assert not passes(STREAM, "WEBSOCKET", **how)
    signs_in()
    for path in PLACES:
        assert status(path, **how) == 200
    assert passes(STREAM, "WEBSOCKET", **how)


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
    assert passes(STREAM, "WEBSOCKET") is served
    # a monitor has an account of the system too
    assert status("/metrics") == 200
    assert status("/scouts/_stcore/metrics") == 200
    monkeypatch.setattr(account.os, "geteuid", lambda: uid)
    assert status() == 200
    monkeypatch.setattr(account.os, "geteuid", lambda: 4242)
    signs_in()
    assert status() == 200


def test_in_a_namespace_of_users_an_account_that_is_not_known_is_no_program_of_the_system(
    monkeypatch,
):
    """PrivateUsers of the unit under deploy/systemd: everybody but the service is 65534 there."""
    monkeypatch.setattr(account, "_kept", lambda *_: account.UNMAPPED)
    assert status() == 403
    monkeypatch.setattr(account, "_sees_accounts", lambda: False)
    assert status() == 200
    monkeypatch.setattr(account, "_kept", lambda *_: 33)
    assert status() == 403


@pytest.fixture
def lines(capsys):
    """The lines of the log since then."""
    logs.configure("INFO", json=True)
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.reset_defaults()


def test_what_was_refused_is_a_line_of_the_log_once_a_minute(lines):
    noted = refusals.Noted()
    odd = "evil\u00e9\n.example" + "x" * 500
    for _ in range(5):
        for host, origin in (("localhost:3000", odd), (odd, None), ("a.example", None)):
            pairs = [("host", host), *([("origin", origin)] if origin else [])]
            headers = [(k.encode(), v.encode("latin-1")) for k, v in pairs]
            asked = refusals.Asked.of(
                {"type": "http", "method": "POST", "path": "/api/x", "headers": headers}
            )
            noted.note(refusals.find(asked, origins.own(asked, ())), asked)
    clean = f"evil??.example{'x' * (refusals.SHOWN - 14)}…"
    assert [(x["event"], x["reason"], x["host"], x["origin"]) for x in lines()] == [
        ("refused", "origin", "localhost:3000", clean),
        ("refused", "host", clean, ""),
        ("refused", "host", "a.example", ""),
    ]


def test_many_names_make_no_flood_in_the_log_and_none_in_memory(lines):
    noted = refusals.Noted()
    for number in range(3000):
        headers = [(b"host", f"h{number}.example".encode())]
        scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
        noted.note(refusals.Refusal(400, "host"), refusals.Asked.of(scope))
    assert len(lines()) == refusals.LINES_PER_MINUTE
    assert len(noted._at) <= refusals.KEPT
