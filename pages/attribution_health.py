"""How healthy attribution is: verdict, numbers, trend, what is missing and why."""

import streamlit as st

from ui import frame, health_view

TICK, REDRAW = 12, 60  # seconds

page = frame.open_page("health")
with page.head:
    paused = st.toggle(health_view.pause_label(), key="health_pause")
frame.live(None if paused else REDRAW, "health")(health_view.show)()
if health_view.is_drawn():
    frame.live(None if paused else TICK, "health_watch")(health_view.watch)(page, paused, TICK)
