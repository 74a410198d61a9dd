"""Charts: one figure from one dict, inked for the theme, kept while its data is the same.

charts.show("health_trend", build, data, alt=t("health.trend_alt"), height=300)
build(data, charts.inks()) returns {"data": [...], "layout": {...}}; data is hashable.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from ui.parts.text import language

# Fills of marks, >= 3:1 on both backgrounds; as text they fail AA.
ACCENT, OK, WARN, FAIL, STALE, NEUTRAL = (
    "#3C6FE0",
    "#2F8F63",
    "#C2740C",
    "#D64545",
    "#8A63D2",
    "#7A8699",
)
CONFIG = {"displayModeBar": False, "scrollZoom": False}


@dataclass(frozen=True)
class Inks:
    """Colours of all chart text, of grid lines and of the page behind."""

    text: str
    strong: str
    grid: str
    paper: str


_LIGHT = Inks("#565F6E", "#12161C", "#DDE1E7", "#FFFFFF")
_DARK = Inks("#A3ADBB", "#E6E9EE", "#2A313C", "#101318")

Build = Callable[[Any, Inks], dict[str, Any]]


def inks() -> Inks:
    """The inks of the visitor's theme."""
    return _DARK if st.context.theme.type == "dark" else _LIGHT


def show(key: str, build: Build, data: Hashable, *, alt: str, height: int) -> None:
    """A chart of `data`; the figure is built once per data, theme and language."""
    # plotly looks into it as soon as anybody has begun to load it: this waits until it is whole
    import pandas  # type: ignore[import-untyped]  # noqa: F401

    st.plotly_chart(
        _figure(build, data, inks(), language(), height),
        theme="streamlit",
        config=CONFIG,
        key=key,
        alt=alt,
        height=height,
    )


def axis(inks: Inks, **more: Any) -> dict[str, Any]:
    """An axis whose texts are written in the ink."""
    return {
        "tickfont": {"color": inks.text, "size": 12},
        "gridcolor": inks.grid,
        "zeroline": False,
        "fixedrange": True,
    } | more


def note(inks: Inks, text: str, x: Any, y: Any, **more: Any) -> dict[str, Any]:
    """A text in the chart, in the ink."""
    return {
        "text": text,
        "x": x,
        "y": y,
        "showarrow": False,
        "font": {"color": inks.text, "size": 12},
    } | more


def warm() -> None:
    """Build a figure once, so that no visitor waits for what plotly loads on first use."""
    go.Figure({"data": [{"type": "bar", "x": [1], "y": [1]}], "layout": {"height": 10}}).to_json()


class _KeptFigure(go.Figure):  # type: ignore[misc]
    """A figure that is never changed: what is sent of it is made once, not at each rerun."""

    def to_dict(self) -> dict[str, Any]:
        """The figure as it is sent."""
        if "_sent" not in self.__dict__:
            self.__dict__["_sent"] = super().to_dict()
        return dict(self.__dict__["_sent"])


@lru_cache(maxsize=256)
def _figure(build: Build, data: Hashable, inks: Inks, language: str, height: int) -> go.Figure:
    spec = build(data, inks)
    layout = {
        "height": height,
        "margin": {"l": 0, "r": 0, "b": 0, "t": 8},
        "dragmode": False,
        "separators": ".,",
        "showlegend": False,
        "font": {"color": inks.text, "size": 12},
        "hoverlabel": {"font": {"size": 12}},
    } | spec["layout"]
    return _KeptFigure({"data": spec["data"], "layout": layout})
