"""Charts while the server is still loading."""

import subprocess
import sys

from tests.support.server import ROOT

# pandas is being loaded by another thread, as at the start of the server, and stays half loaded
# until the chart has begun
HALF_LOADED = """
import importlib.abc, sys, threading, time
import plotly.graph_objects as go
from ui import charts

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
