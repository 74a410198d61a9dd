"""The pages there are: section, file, address; and how one page leads to rows of another."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).resolve().parent.parent / "pages"
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


def go(name: str, **filters: str | None) -> None:
    """Switch to a page with these filters in its address. For the body of a script."""
    st.switch_page(_BY_NAME[name].path, query_params=_given(filters))


def link_to(name: str, label: str, *, icon: str | None = None, **filters: str | None) -> None:
    """A link to a page with these filters in its address."""
    st.page_link(
        _BY_NAME[name].path,
        label=label,
        icon=icon,
        icon_position="right",
        query_params=_given(filters),
    )


def _given(filters: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in filters.items() if value}
