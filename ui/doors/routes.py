"""Which addresses there are: the product's own routes, and of Streamlit's what pages need.

Everything else is not there, also what a later version of Streamlit adds: uploads, components,
its agent's API, files of an application.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from starlette.routing import BaseRoute, Match
from streamlit import config, file_util

from ui.doors import auth
from ui.doors.asked import Asked, Scope
from ui.parts import site

READ = frozenset(("GET", "HEAD"))
GET = frozenset(("GET",))
SOCKET = "_stcore/stream"
# of Streamlit, below the pages: address -> methods
WANTED = {"_stcore/health": READ, "_stcore/host-config": GET, "_stcore/metrics": GET}
# where people sign in
SIGN_IN = {"auth/login": GET, "auth/logout": GET, "oauth2callback": GET}
MEDIA = "media/"  # files that a page offers, pictures that it shows
API = ("/api", f"/{site.BASE}/api")
DOCS = tuple(f"{api}/docs/" for api in API)


def is_known(asked: Asked, scope: Scope, own: Sequence[BaseRoute]) -> bool:
    """Whether there is something under the address that takes this method; what the method may be
    the product's own routes say themselves."""
    below = _below(asked.path)
    if asked.is_websocket:
        return below == SOCKET
    if any(route.matches(scope)[0] is not Match.NONE for route in own):
        return True
    return below is not None and asked.method in _methods(below)


def is_api(path: str) -> bool:
    """Whether a program asks: refusals are problem+json there, pages elsewhere."""
    return any(path == api or path.startswith(f"{api}/") for api in API)


def may_be_kept(path: str) -> bool:
    """Whether a browser may keep the answer: programs and styles, and the empty document that
    every page begins with. Nothing that holds data."""
    below = _below(path)
    is_document = below is not None and below in {place.address for place in site.PLACES}
    return is_document or (below in _assets()) or path.startswith(DOCS)


def _methods(below: str) -> frozenset[str]:
    if below in _assets() or below.startswith(MEDIA):
        return READ
    if auth.is_configured() and below in SIGN_IN:
        return SIGN_IN[below]
    return WANTED.get(below, frozenset())


def _below(path: str) -> str | None:
    """The address below the pages; null = it is not below them."""
    base = f"/{config.get_option('server.baseUrlPath').strip('/')}/".replace("//", "/")
    return path.removeprefix(base) if path.startswith(base) else None


@cache
def _assets() -> frozenset[str]:
    """Streamlit's own files. Its document is not among them: ours stands under each page."""
    root = Path(file_util.get_static_dir())
    files = (file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file())
    return frozenset(files) - {"index.html"}
