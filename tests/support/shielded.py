"""The shield before an application of the tests, asked without a server."""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from starlette.routing import Mount, Route
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton

from ui.doors import auth
from ui.parts import shield

HOSTS = ["localhost", "127.0.0.1", "::1"]
OWN = [
    Route("/scouts", lambda _: None),
    Route("/metrics", lambda _: None),
    Mount("/api", routes=[]),
]
OUTSIDE = "https://scouts.example.com"
STREAM = "/scouts/_stcore/stream"


@contextlib.contextmanager
def configured() -> Iterator[None]:
    """Hosts and base path as in .streamlit/config.toml."""
    config.set_option("server.allowedHosts", HOSTS)
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", "scouts")
    yield
    config.set_option("server.allowedHosts", [])
    config.set_option("server.baseUrlPath", before)


@contextlib.contextmanager
def signing_in() -> Iterator[Callable[..., None]]:
    """What it gives makes people sign in, at the address that it is called with."""
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


def passes(path, method, **how):
    if method == "WEBSOCKET":
        return ask(path, kind="websocket", **how)[0]["type"] == "websocket.accept"
    found = status(path, method=method, **how)
    assert found in {200, 403}
    return found == 200
