"""How healthy attribution is: verdict, numbers, trend, what is missing and why."""

import streamlit as st

from ui.health import view
from ui.parts import frame

TICK, REDRAW = 12, 60  # seconds

page = frame.open_page("health")
with page.head:
    paused = st.toggle(view.pause_label(), key="health_pause")
frame.live(None if paused else REDRAW, "health")(view.show)()
if view.is_drawn():
    frame.live(None if paused else TICK, "health_watch")(view.watch)(page, paused, TICK)
