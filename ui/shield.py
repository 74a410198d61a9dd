"""What stands before every answer of the server: host, origin, address, security headers."""

import base64
import hashlib
import ipaddress
import os
import re
import sys
import traceback
import uuid
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from streamlit import config, file_util

from scout_core import logs
from scout_core.errors import SettingsError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Methods that change nothing.
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))

# Paths that tell how the server is doing, for this machine only. host-config is not among them:
# without it the page never renders.
LOOPBACK_ONLY = ("/_stcore/metrics",)
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)

_log = logs.get_logger("web")


class Shield:
    """ASGI middleware: refuses foreign hosts and origins, adds the headers to every answer."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it here with one sentence."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        host = headers.get("host", "")
        refusal = _refusal(scope, host, headers.get("origin"))
        secure = _headers(host if refusal is None else "")

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in secure}
                kept = [h for h in message["headers"] if h[0].lower() not in ours]
                message["headers"] = [*kept, *secure]
            await send(message)

        if refusal is None:
            await self.app(scope, receive, send_with_headers)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1][:100]})
        else:
            status, sentence = refusal
            body = sentence.encode()
            plain = [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
            ]
            await send_with_headers(
                {"type": "http.response.start", "status": status, "headers": plain}
            )
            await send({"type": "http.response.body", "body": body})


def use_config_of(root: Path) -> None:
    """Let the configuration be that of the repository, wherever the server was started from."""
    # `streamlit run` sets this itself; under uvicorn it would be the folder of ui/main.py
    if config._main_script_path is None:
        config._main_script_path = str(root / "app.py")


def refuse_open_door() -> None:
    """SettingsError when the server would listen beyond this machine and nobody has to sign in."""
    # uvicorn binds by its own options and knows nothing of Streamlit's
    if config._server_mode in {None, "asgi-server"}:
        addresses = _uvicorn_hosts(sys.argv)
    else:
        addresses = [config.get_option("server.address") or "0.0.0.0"]  # noqa: S104 - its default
    wide = [address for address in addresses if not is_loopback(address)]
    if wide and not is_sign_in_configured():
        raise SettingsError(
            f"The server would listen on {wide[0]}, and nobody has to sign in: set [auth] in "
            ".streamlit/secrets.toml (see secrets.toml.example) or listen on 127.0.0.1 only."
        )


def is_sign_in_configured() -> bool:
    """Whether .streamlit/secrets.toml names an identity provider."""
    from streamlit.runtime.secrets import secrets_singleton

    return bool(secrets_singleton.load_if_toml_exists() and secrets_singleton.get("auth"))


def is_loopback(address: str) -> bool:
    """Whether an address or name is this machine itself; a unix socket is."""
    if address.startswith(("unix:", "/")) or address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def is_host_allowed(host: str) -> bool:
    """Whether a Host header names this server: the same list as Streamlit's own check."""
    from streamlit.web.server.starlette.starlette_websocket import is_host_allowed as listed

    return bool(config.get_option("server.allowedHosts")) and listed(host)


def log_script_error(exc: Exception) -> bool:
    """Keep an unexpected error of a page under a number, and show only the number."""
    from ui import frame

    number = uuid.uuid4().hex[:8]
    # places, no message: it may quote a value of a person
    places = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(exc.__traceback__)]
    _log.error("page failed", number=number, error=type(exc).__name__, places=places[-8:])
    frame.show_failure(number)
    return True


def _refusal(scope: Scope, host: str, origin: str | None) -> tuple[int, str] | None:
    """Status and sentence when the request must not pass."""
    if not is_host_allowed(host):
        return 400, "This server is not known under that name: add it to server.allowedHosts."
    # Streamlit asks the internet for its own address when an origin is foreign; no request does
    # that here
    is_foreign = origin is not None and origin.split("//")[-1] != host
    if is_foreign and (scope["type"] == "websocket" or scope["method"] not in SAFE):
        return 403, "Only pages of this server may connect or send anything."
    client = (scope.get("client") or ("", 0))[0]
    path = scope["path"].rstrip("/")
    if path.endswith(LOOPBACK_ONLY) and not (
        is_loopback(client)
        and "x-forwarded-for" not in {k.decode("latin-1").lower() for k, _ in scope["headers"]}
    ):
        return 403, "Only for this machine."
    local = (scope.get("server") or ("127.0.0.1", 0))[0]
    if not is_loopback(local) and not is_sign_in_configured():
        return 403, "Nobody has to sign in here, so only this machine is served."
    return None


def _headers(host: str) -> Sequence[tuple[bytes, bytes]]:
    return _headers_of(host) if host else _headers_of("")


@cache
def _headers_of(host: str) -> tuple[tuple[bytes, bytes], ...]:
    # Safari before 15.4 does not take 'self' for the websocket
    sockets = f" ws://{host} wss://{host}" if host else ""
    policy = (
        "default-src 'self'",
        f"script-src 'self' 'wasm-unsafe-eval' {' '.join(_script_hashes())}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        f"connect-src 'self'{sockets}",
        "worker-src 'self' blob:",
        "media-src 'self' blob:",
        "frame-src 'none'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    named = {
        "content-security-policy": "; ".join(policy),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    return tuple((name.encode(), value.encode()) for name, value in named.items())


@cache
def index_html() -> str:
    """The document of every page: Streamlit's, in Spanish, told where the server is, with
    document.js.

    Not told, the browser first asks below the page's own address, where nothing answers.
    """
    original = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    base = config.get_option("server.baseUrlPath").strip("/")
    told = f"<script>window.__streamlit={{BACKEND_BASE_URL:location.origin+'/{base}'}}</script>"
    script = Path(__file__).with_name("document.js").read_text(encoding="utf-8")
    return original.replace('<html lang="en">', '<html lang="es">').replace(
        "<head>", f"<head>\n    {told}\n    <script>{script}</script>", 1
    )


@cache
def _script_hashes() -> tuple[str, ...]:
    """The inline scripts of the document, as the policy names them."""
    return tuple(
        f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
        for code in INLINE_SCRIPT.findall(index_html())
    )


def _uvicorn_hosts(argv: Sequence[str]) -> list[str]:
    """The addresses that uvicorn was told on its command line or in the environment."""
    found = [os.environ["UVICORN_HOST"]] if os.environ.get("UVICORN_HOST") else []
    for number, word in enumerate(argv):
        if word == "--host" and number + 1 < len(argv):
            found.append(argv[number + 1])
        elif word.startswith("--host="):
            found.append(word.removeprefix("--host="))
    return found
