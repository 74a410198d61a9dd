"""What the job did, what it would do now, who changed what, and whether all that must hold does."""

from ui.parts import frame
from ui.runs import view

page = frame.open_page("runs")
view.show(page)
