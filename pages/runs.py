"""What the job did, what it would do now, who changed what, and whether all that must hold does."""

from ui import frame, runs_view

page = frame.open_page("runs")
runs_view.show(page)
