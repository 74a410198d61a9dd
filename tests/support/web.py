"""Pages under Streamlit's test runner: open one, on this database, in this language."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from scout_core.db.database import Database
from scout_core.settings import load
from tests.support.server import ROOT
from ui.parts import read, site

NOWHERE = "postgresql+psycopg2://nobody@127.0.0.1:1/none"

# Names as bad input brings them: markup, formulas, characters that only steer the display.
ODD_NAMES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](http://example.com/x.png) [a](javascript:alert(1)) :red[rojo] $x$ **b**",
    '=HYPERLINK("http://example.com","x")',
    "+51 999 888 777",
    "@SUM(1+1)",
    "\u202eolleh\u202c zero\u200bwidth\ufeff",
    "Ñandú " + "largo " * 2000,
)


@contextmanager
def on(database: Database | None) -> Iterator[None]:
    """Pages read this database; null = one that does not answer."""
    read.use(database or Database(NOWHERE), load({}, dotenv=None))
    try:
        yield
    finally:
        read.use(None)


def cut_off() -> None:
    """From now on the database does not answer; what was read is kept."""
    read._store.database = Database(NOWHERE)
    read.forget()


def open_page(name: str, *, language: str = "es", **filters: str) -> AppTest:
    """The page of this name (ui/parts/site.py), run once, with these filters in its address."""
    place = next(place for place in site.PLACES if place.name == name)
    page = AppTest.from_file(str(ROOT / "ui" / "shell" / "main.py"), default_timeout=30)
    page.session_state["language"] = language
    for key, value in filters.items():
        page.query_params[key] = value
    # as the browser asks for it; switch_page() wants a run of the first page before
    page._page_hash = calc_hash(place.address)
    return page.run()


def words(page: AppTest) -> str:
    """Everything that the page says, elements in order, for `in`."""
    return "\n".join(_said(page.main)) + "\n".join(_said(page.sidebar))


def _said(block: object) -> Iterator[str]:
    for node in getattr(block, "children", {}).values():
        proto = getattr(node, "proto", None)
        for name in ("body", "label", "value", "title", "delta", "text"):
            found = getattr(proto, name, None)
            if isinstance(found, str) and found:
                yield found
        if type(node).__name__ in {"Dataframe", "Table"}:
            yield json.dumps(node.value.to_dict("records"), default=str, ensure_ascii=False)
        yield from _said(node)
