"""`make run`: the database is prepared while the server loads; it answers when both are done.

python -m ui        # options of `streamlit run` by environment: STREAMLIT_SERVER_PORT=3001
"""

import gc
import sys
from pathlib import Path

import click

from scout_core import streams
from ui.shell import preparing

APP = Path(__file__).resolve().parents[1] / "app.py"
INTERRUPTED = 130


def main() -> None:
    """Prepare and serve."""
    streams.keep_open()
    preparing.begin()
    # what is imported lives for ever: the server turns the collector on when all is loaded
    gc.disable()
    try:
        from streamlit.web import cli

        cli.main(["run", str(APP)], standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except SystemExit:
        if "app" not in sys.modules:
            # Streamlit's own line about it is silenced with its others (.streamlit/config.toml)
            streams.tell(
                "The port is taken, maybe by a server that runs already. End it, or choose another:"
                " STREAMLIT_SERVER_PORT=3001 make run"
            )
        raise
    finally:
        preparing.wait()


if __name__ == "__main__":
    main()
