"""psql on the embedded database."""

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from scout_core.embedded.binaries import program
from scout_core.embedded.connection import DATABASE, LOGIN
from scout_core.embedded.server import start
from scout_core.errors import ServerError


def psql(data_dir: Path, args: Sequence[str]) -> int:
    """Runs psql on the application's database, starting the server if need be. Returns psql's
    exit code."""
    server = start(data_dir)
    binary = program(server.binaries, "psql")
    environ = {
        **os.environ,
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": LOGIN,
        "PGPASSWORD": server.password,
        "PGDATABASE": DATABASE,
    }
    for name in ("PGHOSTADDR", "PGSERVICE"):
        environ.pop(name, None)
    command = [str(binary) if binary.is_file() else "psql", *args]
    # Ctrl-C is psql's: it cancels the query, we go on waiting. A handler, unlike "ignore", is
    # not inherited.
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, lambda *_: None) if in_main else None
    try:
        return subprocess.run(command, env=environ, check=False).returncode  # noqa: S603  no shell
    except FileNotFoundError:
        raise ServerError(
            f"psql was not found in {server.binaries} nor on PATH: install the PostgreSQL client."
        ) from None
    finally:
        if in_main:
            signal.signal(signal.SIGINT, before)
