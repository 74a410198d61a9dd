"""The web server: pages under /scouts, security headers on everything, one process.

streamlit run app.py        # or: uvicorn app:app --port 3000
"""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from scout_core import logs
from ui import read, shield, site

ROOT = Path(__file__).resolve().parent
FIRST_PAGE = f"/{site.BASE}/{site.FIRST.address}"

shield.use_config_of(ROOT)


async def _to_first_page(_request: Any) -> RedirectResponse:
    return RedirectResponse(FIRST_PAGE, status_code=307)


async def _page(_request: Any) -> HTMLResponse:
    return HTMLResponse(shield.index_html(), headers={"cache-control": "no-cache"})


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Refuse a bad address, load what the first visitor would wait for, keep threads while up."""
    shield.refuse_open_door()
    logs.configure(read.settings().log_level)
    _warm()
    keepers = _start_keepers()
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.stop()


def _warm() -> None:
    # frozen, what was imported costs the collector nothing at each rerun
    import pandas  # noqa: F401
    import plotly.graph_objects  # noqa: F401
    import pyarrow  # noqa: F401

    import ui.charts
    import ui.sidebar
    import ui.tables

    ui.charts.warm()
    gc.collect()
    gc.freeze()


def _start_keepers() -> list[Any]:
    """Threads that live as long as the server; each has stop()."""
    return []


app = st.App(
    ROOT / "ui" / "main.py",
    routes=[
        Route("/", _to_first_page),
        Route(f"/{site.BASE}", _to_first_page),
        Route(f"/{site.BASE}/", _to_first_page),
        *(Route(f"/{site.BASE}/{place.address}", _page) for place in site.PLACES),
    ],
    middleware=[Middleware(shield.Shield)],
    lifespan=lifespan,
    on_script_error=shield.log_script_error,
)

if __name__ == "__main__":
    app.run()
