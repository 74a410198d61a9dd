"""What stands before every answer of the server: the doors (ui/doors) as ASGI middleware, and what
must hold before it starts."""

import os
import sys
import traceback
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from starlette.routing import BaseRoute
from streamlit import config

from scout_core import logs
from scout_core.errors import SettingsError
from ui.doors import answers, auth, origins, refusals, routes
from ui.doors.asked import SAFE, App, Asked, Message, Receive, Scope, Send
from ui.doors.document import index_html
from ui.doors.origins import is_loopback
from ui.doors.refusals import Refusal

_log = logs.get_logger("web")

is_sign_in_configured = auth.is_configured


class Shield:
    """ASGI middleware: refuses what may not pass, adds the headers to every answer.

    own: the product's routes; monitors: paths that programs of the system ask too; public_url:
    SCOUT_PUBLIC_URL.
    """

    def __init__(
        self,
        app: App,
        own: Sequence[BaseRoute] = (),
        monitors: Collection[str] = (),
        public_url: str | None = None,
    ) -> None:
        self.app, self.own, self.monitors, self.public_url = app, own, monitors, public_url
        self.noted = refusals.Noted()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it here."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        asked = Asked.of(scope)
        outside = auth.outside()
        ours = origins.own(asked, (outside, self.public_url))
        refusal = self._refusal(asked, ours, scope)
        is_https = outside is not None and outside.startswith("https:")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = ours if refusal is None else None
                message["headers"] = answers.headers(
                    message["headers"], asked, message["status"], known, is_https=is_https
                )
            await send(message)

        if refusal is None:
            if ours is not None:
                _use_one_spelling(scope, asked, ours, outside)
            await self.app(scope, receive, send_with_headers)
        elif asked.is_websocket:
            await receive()
            reason = answers.sentence(refusal)[:100]
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            for message in answers.refused(refusal, asked):
                await send_with_headers(message)

    def _refusal(self, asked: Asked, ours: origins.Origin | None, scope: Scope) -> Refusal | None:
        found = refusals.find(asked, ours, is_monitor=asked.path in self.monitors)
        if found is not None:
            self.noted.note(found, asked)
            return found
        return None if routes.is_known(asked, scope, self.own) else Refusal(404, "not_found")


def use_config_of(root: Path) -> None:
    """Let the configuration be that of the repository, wherever the server was started from."""
    # `streamlit run` sets this itself; under uvicorn it would be the folder of ui/shell/main.py
    if config._main_script_path is None:
        config._main_script_path = str(root / "app.py")


def refuse_open_door(public_url: str | None = None) -> None:
    """SettingsError when people sign in unsoundly, or when nobody has to sign in and the server
    would be there for others than this machine. public_url: SCOUT_PUBLIC_URL."""
    fault = auth.fault()
    if fault is not None:
        raise SettingsError(fault)
    auth.remember()
    if auth.is_configured():
        return
    # uvicorn binds by its own options and knows nothing of Streamlit's
    if config._server_mode in {None, "asgi-server"}:
        addresses = _uvicorn_hosts(sys.argv)
    else:
        addresses = [config.get_option("server.address") or "0.0.0.0"]  # noqa: S104 - its default
    for address in addresses:
        if not is_loopback(address):
            raise SettingsError(
                f"The server would listen on {address}, and nobody has to sign in: set [auth] in "
                ".streamlit/secrets.toml (see secrets.toml.example) or listen on 127.0.0.1 only."
            )
    for setting, host in _names(public_url):
        if not is_loopback(host):
            raise SettingsError(
                f"{setting} names {host}, so others would reach the server, and nobody has to sign "
                "in: set [auth] in .streamlit/secrets.toml (see secrets.toml.example), or name "
                "localhost only."
            )


def log_script_error(exc: Exception) -> bool:
    """Keep an unexpected error of a page under a number, and show only the number."""
    from ui.parts import frame

    number = uuid.uuid4().hex[:8]
    # places, no message: it may quote a value of a person
    places = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(exc.__traceback__)]
    _log.error("page failed", number=number, error=type(exc).__name__, places=places[-8:])
    frame.show_failure(number)
    return True


def _use_one_spelling(
    scope: Scope, asked: Asked, ours: origins.Origin, outside: str | None
) -> None:
    """Let what stands behind see host and origin as redirect_uri writes them: Streamlit compares
    them as text, also with what a session was signed for. A foreign origin, which may only read, it
    does not see: it would ask the internet for its own address to compare."""
    is_outside = outside is not None and origins.parse(outside) == ours
    origin = outside if is_outside and outside is not None else str(ours)
    spelled = {b"host": origin.partition("//")[2].encode()}
    if origins.is_own_page(asked, ours):
        spelled[b"origin"] = origin.encode()
    scope["headers"] = [
        (name, spelled.get(name, value))
        for name, value in scope["headers"]
        if name != b"origin" or b"origin" in spelled
    ]


def _names(public_url: str | None) -> list[tuple[str, str]]:
    """Names that others would reach the server by: the setting, and the host in it."""
    listed = [str(host).strip() for host in config.get_option("server.allowedHosts")]
    found = [("server.allowedHosts", host) for host in listed]
    if public_url:
        found.append(("SCOUT_PUBLIC_URL", urlsplit(public_url).hostname or public_url))
    return found


def _uvicorn_hosts(argv: Sequence[str]) -> list[str]:
    """The addresses that uvicorn was told on its command line or in the environment."""
    found = [os.environ["UVICORN_HOST"]] if os.environ.get("UVICORN_HOST") else []
    for number, word in enumerate(argv):
        if word == "--host" and number + 1 < len(argv):
            found.append(argv[number + 1])
        elif word.startswith("--host="):
            found.append(word.removeprefix("--host="))
    return found


__all__ = [
    "SAFE",
    "Shield",
    "index_html",
    "is_loopback",
    "is_sign_in_configured",
    "log_script_error",
    "refuse_open_door",
    "use_config_of",
]
