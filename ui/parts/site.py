"""The pages there are: section, file, address; and how one page leads to rows of another."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from ui.parts.text import LANGUAGES, Language, language

FOLDER = Path(__file__).resolve().parents[2] / "pages"
BASE = "scouts"


@dataclass(frozen=True)
class Place:
    """A page: its name in the words (common.page_<name>), section, file, address and icon."""

    name: str
    section: str
    file: str
    address: str
    icon: str

    @property
    def path(self) -> Path:
        """The script of the page."""
        return FOLDER / self.file


PLACES = (
    Place("health", "operation", "attribution_health.py", "attribution-health", "monitor_heart"),
    Place("alerts", "operation", "alerts.py", "alerts", "notifications"),
    Place("runs", "operation", "runs.py", "runs", "history"),
    Place("conflicts", "cases", "conflicts.py", "conflicts", "call_split"),
    Place("backlog", "cases", "backlog.py", "backlog", "pending_actions"),
    Place("persona", "cases", "persona.py", "persona", "person_search"),
    Place("cobranza", "money", "cobranza_yango.py", "cobranza-yango", "request_quote"),
    Place("liquidation", "money", "liquidation.py", "liquidation", "payments"),
    Place("scouts", "money", "scouts.py", "scouts", "groups"),
)
FIRST = PLACES[0]
_BY_NAME = {place.name: place for place in PLACES}


def pages(build: Callable[[], dict[str, list[st.Page]]]) -> dict[str, list[st.Page]]:
    """The pages of this session in its language, made once: each looks its script up on disk."""
    kept = st.session_state.setdefault("site_pages", {})
    if language() not in kept:
        kept[language()] = build()
    found: dict[str, list[st.Page]] = kept[language()]
    return found


def place_of(name: str) -> Place:
    """The place of the page of this name."""
    return _BY_NAME[name]


def go(name: str, **filters: str | None) -> None:
    """Switch to a page with these filters in its address. For the body of a script."""
    st.switch_page(_page(name), query_params=_given(filters))


def link_to(name: str, label: str, *, icon: str | None = None, **filters: str | None) -> None:
    """A link to a page with these filters in its address."""
    st.page_link(
        _page(name),
        label=label,
        icon=icon,
        icon_position="right",
        query_params=_given(filters),
    )


def _page(name: str) -> st.Page:
    place = _BY_NAME[name]
    kept: dict[str, list[st.Page]] = st.session_state["site_pages"][language()]
    return next(p for listed in kept.values() for p in listed if p.url_path == place.address)


def lang_of(code: Language) -> Language | None:
    """What ?lang= says for a language: nothing for the first one."""
    return None if code == LANGUAGES[0] else code


def _given(filters: dict[str, str | None]) -> dict[str, str]:
    all_of_them = {**filters, "lang": lang_of(language())}
    return {name: value for name, value in all_of_them.items() if value}
