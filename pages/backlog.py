"""Placeholder: title only."""

from ui import frame

frame.open_page("backlog")
