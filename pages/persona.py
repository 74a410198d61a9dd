"""One person: why this scout or why none, what next, and everything that happened."""

from ui.parts import frame
from ui.person import view

page = frame.open_page("persona")
view.show(page)
