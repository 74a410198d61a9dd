"""The web server: pages under /scouts, the API under /api, security headers on everything, one
process.

streamlit run app.py        # or: uvicorn app:app --port 3000
"""

import gc
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Mount, Route, Router

from api import MONITOR_PATHS
from scout_core import logs, streams
from scout_core.alerts import rounds
from scout_core.attribution import settle
from scout_core.db import stopping
from scout_core.errors import SettingsError
from ui.doors import sign_in
from ui.parts import exports, read, shield, site, who
from ui.shell import preparing, secrets_files

_log = logs.get_logger("web")
ROOT = Path(__file__).resolve().parent
RUNS_END_SECONDS = 8.0
FIRST_PAGE = f"/{site.BASE}/{site.FIRST.address}"

streams.keep_open()
# as long as the settings were not read
logs.configure()
shield.use_config_of(ROOT)


def _leave(code: int) -> NoReturn:
    # `streamlit run` would go on waiting after sys.exit
    preparing.wait()
    os._exit(code)


try:
    secrets_files.refuse_unreadable()
    PUBLIC_URL = read.settings().public_url
    shield.refuse_open_door(PUBLIC_URL)
except SettingsError as exc:
    streams.tell(exc.message)
    _leave(exc.exit_code)


async def _to_first_page(_request: Any) -> RedirectResponse:
    return RedirectResponse(FIRST_PAGE, status_code=307)


async def _without_slash(request: Any) -> RedirectResponse:
    return RedirectResponse(request.url.replace(path=request.url.path.rstrip("/")), 307)


async def _page(_request: Any) -> HTMLResponse:
    return HTMLResponse(shield.index_html(), headers={"cache-control": "no-cache"})


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Keep threads while the server is up: one that loads ahead, one that settles, one that looks
    after the alerts."""
    shield.refuse_open_door(PUBLIC_URL)
    warmer = _Warmer()
    await run_in_threadpool(_wait_for_preparation)
    logs.configure(read.settings().log_level)
    if not shield.is_sign_in_configured():
        _log.warning("nobody has to sign in: this machine only, everything allowed")
    keepers = [warmer, *_start_keepers()]
    try:
        yield
    finally:
        await run_in_threadpool(_end_runs)
        for keeper in keepers:
            keeper.stop()


def _end_runs() -> None:
    """A run of this process ends in good order: it says in the database that it was stopped."""
    from scout_core.job import run_now

    stopping.ask("the server ends")
    run_now.wait_for_all(RUNS_END_SECONDS)
    stopping.forget()


def _wait_for_preparation() -> None:
    """Nothing is answered before what `make run` does meanwhile is done; where that failed, and
    said why, nothing is served."""
    code = preparing.wait()
    if code:
        _leave(code)
    if code is None:
        _log.info("serving", first_page=FIRST_PAGE)
    else:
        port = st.get_option("server.port")
        streams.tell(f"Open http://localhost:{port}{FIRST_PAGE} (Ctrl+C ends it)", sys.stdout)


class _Warmer:
    """Loads behind the first answer what the first visitors would wait for, the API last. Takes
    what lives for ever out of the collector's sight: then, and again when visitors have made the
    rest of it load."""

    API_AFTER = 3.0  # seconds
    FREEZE_AFTER = (15.0, 60.0, 600.0)

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="warmer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join(5)

    def _work(self) -> None:
        try:
            _load_pages()
        finally:
            # not collected first: a start leaves next to nothing, and the first page would wait
            gc.freeze()
            gc.enable()
        if not self._stopped.wait(self.API_AFTER):
            rest.made()
            monitors.made()
            gc.collect()
            gc.freeze()
        for seconds in self.FREEZE_AFTER:
            if self._stopped.wait(seconds):
                return
            gc.collect()
            gc.freeze()


def _load_pages() -> None:
    import pandas  # noqa: F401 - by Streamlit with the first table

    import ui.health.view  # noqa: F401
    from ui.parts import charts, text

    charts.warm()
    text.warm()


def _start_keepers() -> list[Any]:
    """Threads that live as long as the server; each has stop()."""
    return [
        settle.Keeper(read.database),
        rounds.Keeper(read.database, read.settings),
    ]


class _Later:
    """An ASGI application that is made when it is first asked, or when the server has nothing
    better to do: the first page does not wait for it."""

    _making = threading.RLock()

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = cache(make)

    def made(self) -> Any:
        """The application, made by whoever comes first."""
        with self._making:
            return self._make()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        made = await run_in_threadpool(self.made)
        await made(scope, receive, send)


def _visitor(request: Any) -> Any:
    return who.visitor_of(request.cookies, writes=request.method not in shield.SAFE)


@cache
def _services() -> Any:
    from api.services import Services

    return Services(
        read_database=read.Pool("scout-api", pool_size=5, overflow=0),
        export_database=read.Pool("scout-export", pool_size=3, overflow=0),
        write_database=read.database,
        settings=read.settings,
        visitor=_visitor,
        written=read.forget,
        headings=exports.headings,
    )


def _rest() -> Any:
    from api.app import build

    return build(_services())


def _monitors() -> Router:
    from api import status

    return Router(status.routes(_services()))


rest, monitors = _Later(_rest), _Later(_monitors)

ROUTES = [
    *sign_in.routes(),
    Route("/", _to_first_page),
    Route(f"/{site.BASE}", _to_first_page),
    Route(f"/{site.BASE}/", _to_first_page),
    *(Route(f"/{site.BASE}/{place.address}", _page) for place in site.PLACES),
    *(Route(f"/{site.BASE}/{place.address}/", _without_slash) for place in site.PLACES),
    *(Route(path, monitors) for path in MONITOR_PATHS),
    Mount("/api", rest),
    # the same below the pages, where the browser sends the session
    Mount(f"/{site.BASE}/api", rest),
]

app = st.App(
    ROOT / "ui" / "shell" / "main.py",
    routes=ROUTES,
    middleware=[
        Middleware(shield.Shield, own=ROUTES, monitors=MONITOR_PATHS, public_url=PUBLIC_URL)
    ],
    lifespan=lifespan,
    on_script_error=shield.log_script_error,
)

if __name__ == "__main__":
    app.run()
