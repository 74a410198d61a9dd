"""`make run` prepares the database while the server loads: begin() first, wait() before serving."""

import subprocess
import sys

_begun: list[subprocess.Popen[bytes]] = []


def begin() -> None:
    """Start what has to be done before the pages can be served."""
    _begun.append(subprocess.Popen([sys.executable, "-m", "scout_core", "prepare"]))


def wait() -> int | None:
    """The exit code of what begin() started, once it has ended; null = nothing was."""
    return _begun[0].wait() if _begun else None
