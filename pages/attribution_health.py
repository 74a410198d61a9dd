"""How healthy attribution is: verdict, numbers, trend, what is missing and why."""

import streamlit as st

from ui import frame, health_view

TICK = 12

page = frame.open_page("health")
with page.head:
    paused = st.toggle(health_view.pause_label(), key="health_pause")
frame.live(None if paused else TICK, "health")(health_view.show)(page, paused, TICK)
