"""Tables: text columns written by our formatters, cleaned, with pages by key.

tables.show([Column("person", t("x.person")), Column("stake", t("x.stake"), right=True)],
            rows, key="conflicts", alt=t("x.alt"))
tables.pager(page, shown=len(page.rows))
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import streamlit as st

from ui.parts import link
from ui.parts.text import clean, number, t

ROW_HEIGHT = 35
TALL = 10
_TYPES = {
    "text": pa.string(),
    "button": pa.string(),
    "share": pa.float64(),
    "chips": pa.list_(pa.string()),
}


@dataclass(frozen=True)
class Column:
    """A column: the key in each row, its title, how it is shown."""

    key: str
    title: str
    kind: Literal["text", "chips", "share", "button"] = "text"
    right: bool = False
    pinned: bool = False
    width: Literal["small", "medium", "large"] | int | None = None
    on_click: Callable[[], None] | None = None
    click_key: str | None = None  # kind "button": st.session_state[click_key]["row"] after a click


def show(
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: str,
    alt: str,
    select: bool = False,
    selected: int | None = None,
    tall: int = TALL,
) -> int | None:
    """A table; every text is cleaned. With `select` the number of the chosen row, else null.

    More than `tall` rows scroll within it.
    """
    chosen = _draw(
        columns,
        rows,
        key=key,
        alt=alt,
        mode="single-row" if select else None,
        selected=() if selected is None else (selected,),
        tall=tall,
    )
    return chosen[0] if chosen else None


def choose(
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: str,
    alt: str,
    selected: Sequence[int] = (),
    tall: int = TALL,
) -> list[int]:
    """A table of which several rows can be chosen: their numbers, in the order of the table."""
    return _draw(columns, rows, key=key, alt=alt, mode="multi-row", selected=selected, tall=tall)


def _draw(
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: str,
    alt: str,
    mode: str | None,
    selected: Sequence[int],
    tall: int,
) -> list[int]:
    # sent as it is: by way of pandas it takes three times as long
    frame = pa.table(
        {
            c.key: pa.array([_cell(c, row.get(c.key)) for row in rows], _TYPES[c.kind])
            for c in columns
        }
    )
    options: dict[str, Any] = {}
    if mode is not None:
        options = {"on_select": "rerun", "selection_mode": mode}
        if selected:
            options["selection_default"] = {"selection": {"rows": list(selected)}}
    state = st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(rows) <= tall else ROW_HEIGHT * (tall + 1) + 3,
        column_config={c.key: _config(c) for c in columns},
        key=key,
        alt=alt,
        **options,
    )
    if mode is None:
        return []
    return sorted(int(row) for row in state["selection"]["rows"] if row < len(rows))


def small(columns: Mapping[str, Sequence[str]], *, alt: str) -> None:
    """A small fixed table of markdown texts, title -> cells; text of the database goes in
    through `plain`."""
    st.table(
        pa.table({title: pa.array(cells, pa.string()) for title, cells in columns.items()}),
        border="horizontal",
        hide_index=True,
        hide_header=False,
        alt=alt,
    )


def pager(page: Any, *, shown: int | None = None, key: str = "pager") -> None:
    """Previous and next page of a scout_core.lists.paging.Page, in the address."""
    count = len(page.rows) if shown is None else shown
    row = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    )
    row.caption(t("common.rows_shown", shown=number(count), total=number(page.total)))
    if page.after is None and page.before is None:
        return
    buttons = row.container(horizontal=True, width="content")
    buttons.button(
        t("common.previous_page"),
        icon=":material/chevron_left:",
        disabled=page.before is None,
        on_click=link.put,
        kwargs={link.BEFORE: page.before, link.AFTER: None},
        key=f"{key}_previous",
    )
    buttons.button(
        t("common.next_page"),
        icon=":material/chevron_right:",
        disabled=page.after is None,
        on_click=link.put,
        kwargs={link.AFTER: page.after, link.BEFORE: None},
        key=f"{key}_next",
    )


def _cell(column: Column, value: Any) -> Any:
    if column.kind == "share":
        return value
    if column.kind == "chips":
        return [clean(item) for item in value or ()]
    return "" if value is None else clean(value)


def _config(column: Column) -> Any:
    common: dict[str, Any] = {"width": column.width, "pinned": column.pinned or None}
    if column.kind == "chips":
        return st.column_config.MultiselectColumn(column.title, color="gray", **common)
    if column.kind == "share":
        # its own number would be written the English way: the number has a column of its own
        return st.column_config.ProgressColumn(
            column.title, format=" ", min_value=0, max_value=1, **common
        )
    if column.kind == "button":
        return st.column_config.ButtonColumn(
            column.title,
            type="tertiary",
            on_click=column.on_click,
            key=column.click_key or f"click_{column.key}",
            **common,
        )
    return st.column_config.TextColumn(
        column.title, alignment="right" if column.right else "left", **common
    )
