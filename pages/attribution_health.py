"""How healthy attribution is: verdict, numbers, trend, what is missing and why."""

from ui import frame

page = frame.open_page("health")
