"""The export control of a list: how many rows, in which form; written when it is clicked.

exports.menu(page.total, {"csv": as_csv, "xlsx": as_xlsx}, name="conflictos")
"""

from collections.abc import Callable, Mapping

import streamlit as st

from ui import read
from ui.text import LIMA, number, t

MIME = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
ICONS = {"csv": "csv", "xlsx": "table_view"}


def menu(rows: int, forms: Mapping[str, Callable[[], bytes]], *, name: str) -> None:
    """A button that opens the forms ("csv", "xlsx"); each is made in a thread when it is clicked.

    The makers must hold the filters that are on screen; they get no Streamlit session.
    """
    shown = number(rows)
    with st.popover(
        t("common.export_prepare", rows=shown), icon=":material/download:", disabled=rows == 0
    ):
        for form, make in forms.items():
            st.download_button(
                t(f"common.export_{form}", rows=shown),
                make,
                file_name=f"{name}-{read.now().astimezone(LIMA):%Y-%m-%d-%H%M}.{form}",
                mime=MIME[form],
                icon=f":material/{ICONS[form]}:",
                on_click="ignore",
                width="stretch",
                key=f"export_{form}",
            )
