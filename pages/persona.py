"""One person: why this scout or why none, what next, and everything that happened."""

from ui import frame, persona_view

page = frame.open_page("persona")
persona_view.show(page)
