"""`make bench`: how long others wait for rows that the job is writing.

Three writers set scouts in random order, four persons a transaction, on a database of its own:
first alone, then while a run links and gives scouts in the batches of the product.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, text
from sqlalchemy.exc import DBAPIError

from benchmarks import __main__ as bench
from scout_core import embedded, logs
from scout_core.db import connecting
from scout_core.db.database import ADMIN, Database
from scout_core.install import init
from scout_core.settings import Settings

WRITERS = 3
ALONE_SECONDS = 5.0
WRITE = text(
    "insert into observational.lead_ledger (person_key, attributed_scout_id, attribution_score,"
    " confidence_level, decision_status, updated_at) values (:person, 9, 1, 'high', 'assigned',"
    " now()) on conflict (person_key) do update set attributed_scout_id = 9, updated_at = now()"
)


def main() -> None:
    """Measure and print two lines."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.writers", description=__doc__)
    parser.add_argument("--persons", type=int, default=50_000, help="size of the database")
    given = parser.parse_args()
    logs.configure("ERROR", json=False)
    with tempfile.TemporaryDirectory(prefix="scout-bench-", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder), options=bench.SERVER)
        try:
            _measure(server.url, given.persons)
        finally:
            embedded.stop(Path(folder))


def _measure(url: str, persons: int) -> None:
    db = Database(url)
    with db.transaction(ADMIN) as conn:
        for name in ("source_tables", "source_constraints"):
            conn.exec_driver_sql((bench.SOURCE_TABLES / f"{name}.sql").read_text(encoding="utf-8"))
        conn.execute(
            text((bench.HERE / "data.sql").read_text(encoding="utf-8")), {"persons": persons}
        )
    init.init(db, Settings(), report=lambda _: None)
    with db.transaction(ADMIN) as conn:
        keys = list(conn.scalars(text("select person_key from canon.identity_registry")))
    db.dispose()
    with connecting.engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as conn:
        conn.exec_driver_sql("vacuum analyze")
    print("  others who write                     statements      p50      p99      most  failed")
    with _Writers(url, keys) as alone:
        time.sleep(ALONE_SECONDS)
    alone.tell("alone")
    with _Writers(url, keys) as beside:
        start = time.perf_counter()
        subprocess.run(
            [
                sys.executable,
                "-m",
                "scout_core",
                "refresh",
                "--force",
                "--reason",
                "to be measured",
            ],
            cwd=bench.HERE.parent,
            env=os.environ | {"DATABASE_URL": url},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - start
    beside.tell(f"beside a run of {seconds:.0f} s")


class _Writers:
    """Writers at work while the block lasts, and how long each statement of theirs took."""

    def __init__(self, url: str, keys: list[Any]) -> None:
        self.url, self.keys = url, keys
        self.waits: list[float] = []
        self.failed = 0
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._write, args=[n]) for n in range(WRITERS)]

    def __enter__(self) -> "_Writers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def _write(self, number: int) -> None:
        draw = random.Random(number)  # noqa: S311 - the same draw each time, no secret
        # persons of their own, so that they do not wait for each other
        own = self.keys[number::WRITERS]
        engine = connecting.engine(self.url, poolclass=NullPool)
        with engine.connect() as conn:
            while not self.is_over.is_set():
                try:
                    for person in draw.sample(own, 4):
                        begun = time.perf_counter()
                        conn.execute(WRITE, {"person": person})
                        self.waits.append(time.perf_counter() - begun)
                        time.sleep(0.005)
                    conn.commit()
                except DBAPIError:
                    self.failed += 1
                    conn.rollback()

    def tell(self, what: str) -> None:
        """A line of the table."""
        waits = sorted(1000 * wait for wait in self.waits)
        p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
        print(
            f"  {what:36} {len(waits):>10,} {p50:>5.1f} ms {p99:>5.1f} ms {waits[-1]:>6.0f} ms"
            f" {self.failed:>7}"
        )


if __name__ == "__main__":
    main()
