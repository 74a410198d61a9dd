"""Charts: what they mark, and that they are drawn while the server is still loading."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

from scout_core.health.last_runs import JobRun
from tests.support.server import ROOT
from ui.health import charts as health_charts
from ui.parts import charts

# pandas is being loaded by another thread, as at the start of the server, and stays half loaded
# until the chart has begun
HALF_LOADED = """
import importlib.abc, sys, threading, time
import plotly.graph_objects as go
from ui.parts import charts

begun = threading.Event()

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "pandas.core.api":
            begun.set()
            time.sleep(1)

assert "pandas" not in sys.modules
sys.meta_path.insert(0, Slow())
threading.Thread(target=lambda: __import__("pandas")).start()
begun.wait(30)
charts.show("k", lambda data, inks: {"data": [{"type": "scatter", "y": [data]}], "layout": {}}, 1,
            alt="", height=100)
print("drawn")
"""


def test_chart_asked_for_while_pandas_is_being_loaded_is_drawn() -> None:
    """Plotly looks into pandas as soon as anybody has begun to load it."""
    done = subprocess.run(
        [sys.executable, "-c", HALF_LOADED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "drawn", done.stderr[-2000:]


def test_run_that_failed_or_was_lost_is_marked_and_its_neighbour_is_not():
    began = datetime(2026, 11, 22, 6, 40, tzinfo=UTC)

    def run(number: int, status: str, ended: datetime | None) -> JobRun:
        return JobRun(number, status, "cron", "cron", began, ended, None, None, None)

    given = (
        run(3, "LOST", None),
        run(2, "FAILED", began + timedelta(seconds=3)),
        run(1, "COMPLETED", began + timedelta(seconds=3)),
    )
    (bars,) = health_charts.runs(given, charts.inks())["data"]
    assert bars["text"] == ["", "✕", "✕"]
    assert bars["marker"]["color"] == [charts.OK, charts.FAIL, charts.FAIL]
