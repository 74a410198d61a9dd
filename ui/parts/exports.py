"""The export control of a list: links to its files, which the API streams.

A link and no download button: that would hold the whole file in the server's memory.
"""

from dataclasses import fields
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from scout_core.export.lists import LISTS, ExportList
from scout_core.export.writer import FORMATS
from scout_core.lists import kept_texts
from ui.parts import site
from ui.parts.text import LANGUAGES, catalogue, language, number, t

ICONS = {"csv": "csv", "xlsx": "table_view"}


def menu(rows: int, name: str, filters: Any, sort: str) -> None:
    """A button that opens the forms of a list; rows: how many it has under these filters."""
    shown = number(rows)
    with st.popover(
        t("common.export_prepare", rows=shown), icon=":material/download:", disabled=rows == 0
    ):
        for form in FORMATS:
            st.link_button(
                t(f"common.export_{form}", rows=shown),
                address(name, form, filters, sort),
                icon=f":material/{ICONS[form]}:",
                width="stretch",
                key=f"export_{form}",
            )


def address(name: str, form: str, filters: Any, sort: str) -> str:
    """Where a list is as a file, under these filters and in this order. Below the pages, so that
    the browser sends the session."""
    listed = LISTS[name]
    given = {
        listed.parameters.get(field, field): _written(field, value, listed)
        for field, value in vars(filters).items()
        if value not in (None, False)
    }
    asked = urlencode({**given, "sort": sort, "lang": language()})
    return f"/{site.BASE}/api/v1{listed.address}.{form}?{asked}"


def _written(field: str, value: object, listed: ExportList) -> str:
    if value is True:
        return "true"
    is_typed = isinstance(value, str) and field not in listed.choices
    return kept_texts.in_address(str(value)) if is_typed else str(value)


def headings(name: str, lang: str) -> dict[str, str]:
    """What the columns of a list are called in a file of this language."""
    place = [*LANGUAGES].index(lang)  # type: ignore[arg-type]  # checked by the API
    words = catalogue()
    return {
        column.name: words[f"lists.col_{column.name}"][place]
        for column in fields(LISTS[name].row_class)
    }
