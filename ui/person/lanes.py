"""The evidence of a person by source and day, drawn in lanes."""

import html
from collections import Counter
from datetime import date, datetime
from typing import Any

import streamlit as st

from scout_core.attribution.person_history import Story
from ui.parts import charts, frame, lists
from ui.parts.charts import Inks
from ui.parts.text import LIMA, number, short_day, t
from ui.person.phrases import NAME_LENGTH, SOURCES, Names, source_words

SYMBOLS = ("circle", "diamond", "square", "triangle-up")


def show(story: Story, names: Names) -> None:
    """The chart, with the opening of the conflict and the last run as marks."""
    frame.card_title(t("persona.lanes"))
    pieces = story.told.evidence
    dated = [row for row in pieces if row["attribution_date"] or row["created_at"]]
    if not dated:
        st.caption(t("persona.lanes_none"))
        return
    canonical = min(pieces, key=lambda row: (row["priority"], -_days(row)))["scout_id"]
    scouts = [canonical, *sorted({row["scout_id"] for row in pieces} - {canonical})]
    shown = scouts[: len(SYMBOLS)]
    points = tuple(
        (
            shown.index(row["scout_id"]) if row["scout_id"] in shown else len(SYMBOLS) - 1,
            SOURCES.index(row["source_table"]),
            _place(row),
            row["scout_id"],
        )
        for row in dated
    )
    labels = tuple(
        t("persona.lanes_scout", scout=lists.scout_label(s, names, NAME_LENGTH)) for s in shown
    )
    if len(scouts) > len(SYMBOLS):
        labels = (*labels[:-1], t("persona.lanes_others"))
    opened = story.conclusion.conflict_since
    marks = tuple(
        (when, words)
        for when, words in (
            (_as_text(opened), t("persona.lanes_conflict")),
            (_as_text(story.last_refresh_at), t("persona.lanes_last_run")),
        )
        if when is not None
    )
    sources = tuple(source_words(table) for table in SOURCES)
    charts.show(
        "persona_lanes",
        _draw_lanes,
        (points, labels, marks, sources),
        alt=t("persona.lanes_alt", summary=_summary(dated)),
        height=235,
    )
    if len(dated) < len(pieces):
        st.caption(t("persona.lanes_undated", count=number(len(pieces) - len(dated))))


def _draw_lanes(data: Any, inks: Inks) -> dict[str, Any]:
    points, labels, marks, sources = data
    traces = []
    for order, label in enumerate(labels):
        mine = [p for p in points if p[0] == order]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": html.escape(label),
                "x": [p[2] for p in mine],
                "y": [sources[p[1]] for p in mine],
                "text": [
                    t(
                        "persona.lanes_hover",
                        source=sources[p[1]],
                        scout=p[3],
                        day=short_day(date.fromisoformat(p[2][:10])),
                    )
                    for p in mine
                ],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "size": 11,
                    "symbol": SYMBOLS[order],
                    "color": charts.ACCENT if order == 0 else charts.NEUTRAL,
                },
            }
        )
    days = sorted({p[2][:10] for p in points} | {m[0][:10] for m in marks})
    first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
    ticks = _ticks(first, last)
    axis = charts.axis(inks)
    return {
        "data": traces,
        "layout": {
            "showlegend": True,
            "legend": {
                "orientation": "h",
                "y": 1.42,
                "x": 0,
                "font": {"color": inks.text, "size": 12},
                "itemclick": False,
                "itemdoubleclick": False,
            },
            "margin": {"l": 0, "r": 8, "b": 0, "t": 56},
            "xaxis": axis
            | {
                "type": "date",
                "showgrid": False,
                "tickvals": [day.isoformat() for day in ticks],
                "ticktext": [short_day(day) for day in ticks],
                "range": _range(first, last),
            },
            "yaxis": axis
            | {
                "categoryorder": "array",
                "categoryarray": list(reversed(sources)),
                "range": [-0.6, len(sources) - 0.2],
            },
            "shapes": [
                {
                    "type": "line",
                    "xref": "x",
                    "yref": "paper",
                    "x0": when,
                    "x1": when,
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": inks.text, "width": 1, "dash": "dot"},
                }
                for when, _ in marks
            ],
            "annotations": [
                # one above the other: the days may be close, and a phone is narrow
                charts.note(
                    inks,
                    words,
                    when,
                    1,
                    xanchor="right",
                    yref="paper",
                    yanchor="bottom",
                    yshift=15 * row,
                )
                for row, (when, words) in enumerate(marks)
            ],
        },
    }


def _ticks(first: date, last: date) -> list[date]:
    span = (last - first).days
    count = min(4, span)
    return [
        date.fromordinal(first.toordinal() + round(span * n / max(count, 1)))
        for n in range(count + 1)
    ]


def _range(first: date, last: date) -> list[str]:
    room = max(1, round((last - first).days * 0.04))
    return [
        date.fromordinal(first.toordinal() - room).isoformat(),
        date.fromordinal(last.toordinal() + room + 1).isoformat(),
    ]


def _place(row: Any) -> str:
    created, day = row["created_at"], row["attribution_date"]
    if created is not None and (day is None or created.astimezone(LIMA).date() == day):
        return f"{created.astimezone(LIMA):%Y-%m-%d %H:%M}"
    return f"{day:%Y-%m-%d} 12:00"


def _as_text(when: datetime | date | None) -> str | None:
    if isinstance(when, datetime):
        return f"{when.astimezone(LIMA):%Y-%m-%d %H:%M}"
    return None if when is None else f"{when:%Y-%m-%d} 12:00"


def _days(row: Any) -> int:
    return row["attribution_date"].toordinal() if row["attribution_date"] else 0


def _summary(pieces: list[Any]) -> str:
    counts = Counter(row["source_table"] for row in pieces)
    return ", ".join(
        t("persona.lanes_item", source=source_words(table), count=number(counts[table]))
        for table in SOURCES
        if counts[table]
    )
