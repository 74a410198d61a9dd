"""`make bench`: a list of a million rows as a file: rows a second, and what memory it took.

The whole way of a download but the network: one snapshot, a cursor of the server, the writer, the
pipe between thread and reader.
"""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from sqlalchemy import text

from api.exports import streamed
from api.services import now
from scout_core import embedded, logs
from scout_core.access.permissions import Actor
from scout_core.attribution import settle
from scout_core.db import sql
from scout_core.db.database import ADMIN, Database
from scout_core.export.delivery import export_to
from scout_core.export.writer import Form
from scout_core.install import init
from scout_core.settings import Settings

SOURCE_TABLES = sql.ROOT / "demo"
MEGABYTE = 1 << 20


def main() -> None:
    """Measure the backlog as CSV, in the form of screens and in that of machines."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.files", description=__doc__)
    parser.add_argument("--persons", type=int, default=1_000_000, help="rows (default %(default)s)")
    persons = parser.parse_args().persons
    logs.configure("ERROR")
    with tempfile.TemporaryDirectory() as folder:
        server = embedded.start(Path(folder))
        try:
            database = Database(server.url)
            fill(database, persons)
            for form in (Form(), Form(is_raw=True)):
                measure(database, form)
            database.dispose()
        finally:
            embedded.stop(Path(folder))


def fill(database: Database, persons: int) -> None:
    """Persons without any evidence: the longest list there can be."""
    with database.transaction(ADMIN) as conn:
        for name in ("source_tables", "source_constraints"):
            conn.exec_driver_sql((SOURCE_TABLES / f"{name}.sql").read_text(encoding="utf-8"))
        conn.execute(
            text(
                "insert into canon.identity_registry (person_key, confidence_level)"
                " select md5(n::text)::uuid, 'HIGH' from generate_series(1, :count) as n"
            ),
            {"count": persons},
        )
    init.init(database, Settings(), report=lambda _: None)
    settle.build(database)


def measure(database: Database, form: Form) -> None:
    """One download, read as fast as it comes."""
    process = psutil.Process()
    before = peak = process.memory_info().rss
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.05):
            peak = max(peak, process.memory_info().rss)

    threading.Thread(target=watch, daemon=True).start()
    actor, began, size, lines = Actor("bench", "viewer"), time.perf_counter(), 0, 0
    for chunk in streamed(
        lambda out: export_to(
            database, database, "backlog", None, out, form, actor=actor, via="api", now=now()
        )
    ):
        size += len(chunk)
        lines += chunk.count(b"\r\n")
    seconds = time.perf_counter() - began
    over.set()
    sys.stdout.write(
        f"{'raw' if form.is_raw else 'screen'}: {lines - 1:,} rows in {seconds:.1f} s, "
        f"{(lines - 1) / seconds:,.0f} rows/s, {size / MEGABYTE:,.0f} MB, "
        f"memory {before / MEGABYTE:.0f} -> {peak / MEGABYTE:.0f} MB\n"
    )


if __name__ == "__main__":
    main()
