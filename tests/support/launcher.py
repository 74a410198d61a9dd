"""What the launcher's tests do to its servers."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import NullPool, create_engine, text

from tests.support.server import ROOT

STARTS = """
import sys
from pathlib import Path
from scout_core import embedded
server = embedded.start(Path(sys.argv[1]))
print(server.pid, flush=True)
"""

# The interpreter may be in a folder of root's: it is loaded first, then it is that user.
STARTS_AS_USER = """
import os, sys
import scout_core.embedded
user, group = map(int, sys.argv[2:4])
os.setgroups([]); os.setgid(group); os.setuid(user)
"""


def python(code: str, *args: object, **how: Any) -> subprocess.Popen[str]:
    """A Python process that has the product, its output in a pipe."""
    how.setdefault("cwd", ROOT)
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        **how,
    )


def printed(process: subprocess.Popen[str]) -> str:
    """What a process printed, once it has ended well."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.strip()


def query(url: str, sql: str) -> list[Any]:
    """The first column of a query, committed, through SQLAlchemy as the product does it."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as conn:
        result = conn.execute(text(sql))
        return list(result.scalars()) if result.returns_rows else []


def postmasters(data_dir: Path) -> list[int]:
    """Pids of the live servers of a folder, whatever its files say."""
    # the parent is asked with the rest: one that ends meanwhile is in the list and gone
    every = psutil.process_iter(["ppid"])
    found = {process.pid: process.info["ppid"] for process in every if _is_in(process, data_dir)}
    return [pid for pid, parent in found.items() if parent not in found]


def _is_in(process: psutil.Process, data_dir: Path) -> bool:
    try:
        named = process.name().startswith("postgres")
        dead = process.status() == psutil.STATUS_ZOMBIE
        return named and not dead and Path(process.cwd()).samefile(data_dir / "pg" / "data")
    except (psutil.Error, OSError):
        return False
