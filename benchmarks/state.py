"""`make bench`: what numbers, lists and runs cost on the settled state, beside the live definition.

Each size is a demo database of its own on a PostgreSQL that is started for the bench. Times are the
median of several reads on one connection, as a page has it; what changes rows is rolled back. Lists
are read over claims that answer by key (sql/demo/claims_by_key.sql), but for the line that says so.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text

from benchmarks import __main__ as bench
from scout_core import embedded, logs
from scout_core.access.permissions import Actor
from scout_core.attribution import backlog, conflicts, coverage, settle
from scout_core.db.database import ADMIN, CHECK, LOOK, Database
from scout_core.install import demo
from scout_core.job import refresh
from scout_core.lists import paging
from scout_core.money import collection, liquidation
from scout_core.settings import Settings

SIZES = "2000,100000,1000000"
TIMES = 5
PENDING = 1_000
# as a page reads, but as long as it takes
PATIENT = replace(LOOK, statement_timeout=0, wall_seconds=None)
DEEP_PAGE = 1_000
# The sums in the head of each list, over the whole list.
HEADS: dict[str, Callable[[Connection], Any]] = {
    "conflicts": conflicts.count_kinds,
    "backlog": backlog.count_reasons,
    "collection": collection.count_buckets,
    "liquidation": liquidation.count_statuses,
}
LISTS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "conflicts": (conflicts.list_open, tuple(conflicts.SORTS)),
    "backlog": (backlog.list_missing, tuple(backlog.SORTS)),
    "collection": (collection.list_claims, tuple(collection.SORTS)),
    "liquidation": (liquidation.list_base, tuple(liquidation.SORTS)),
}


def main() -> None:
    """Measure every size and print one table, with the ratio to the smallest size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.state", description=__doc__)
    sizes = SIZES + (",10000000" if os.environ.get("BENCH_LARGE") == "1" else "")
    parser.add_argument("--sizes", default=sizes, help="persons, comma-separated (%(default)s)")
    given = [int(size) for size in parser.parse_args().sizes.split(",")]
    logs.configure("ERROR", json=False)
    smallest: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="scout-bench-", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder), options=bench.SERVER | {"autovacuum": "on"})
        try:
            print(
                "  persons  work                                                    ms"
                "     rows/s   x first size"
            )
            for size in given:
                _measure(server, size, smallest)
        finally:
            embedded.stop(Path(folder))


def _measure(server: embedded.Server, size: int, smallest: dict[str, float]) -> None:
    def show(work: str, seconds: float, rows: int = 0) -> None:
        first = smallest.setdefault(work, seconds)
        rate = f"{rows / seconds:>10,.0f}" if rows else " " * 10
        print(f"{size:>9,}  {work:48} {1000 * seconds:>9,.1f} {rate} {seconds / first:>8.1f}")
        sys.stdout.flush()

    bench._run_admin(server, "create database bench_state")
    db = Database(server.url_of("bench_state"))
    settings = Settings(run_max_rows=10_000)
    start = time.perf_counter()
    demo.load(db, settings, persons=size, seed=1, report=lambda _: None)
    show("demo: load and install", time.perf_counter() - start, size)
    start = time.perf_counter()
    actor = Actor("bench", "admin")
    refresh.run_refresh(db, settings, actor=actor, force=True, reason="measured by make bench")
    show("the first run", time.perf_counter() - start)
    start = time.perf_counter()
    done = settle.build(db)
    show("settle everything anew", time.perf_counter() - start, done.persons)
    bench._run_admin(server, "vacuum analyze", "bench_state")

    with db.transaction(PATIENT) as conn:
        show(
            "collection, claims that are read whole, page 1",
            _median(lambda: collection.list_claims(conn, total=0)),
        )
    with db.transaction(ADMIN) as conn:
        demo._run_file(conn, "claims_by_key")
    bench._run_admin(server, "vacuum analyze public.claims_by_key", "bench_state")
    with db.transaction(PATIENT) as conn:
        show("snapshot, settled", _median(lambda: coverage.snapshot(conn)))
        show("30-day view", _median(lambda: _read(conn, "ops.v_scout_attribution_metrics_daily")))
        show("reasons of the backlog", _median(lambda: coverage.count_reasons(conn)))
        for name, (reader, sorts) in LISTS.items():
            for sort in sorts:
                show(
                    f"{name} by {sort}, page 1",
                    _median(lambda r=reader, s=sort: r(conn, sort=s, total=0)),
                )
                deep = _deep(conn, name, reader, sort)
                if deep is not None:
                    show(
                        f"{name} by {sort}, page {DEEP_PAGE:,}",
                        _median(lambda r=reader, s=sort, d=deep: r(conn, sort=s, after=d, total=0)),
                    )
        for name, head in HEADS.items():
            show(f"{name}, sums of the head", _median(lambda h=head: h(conn)))
    with db.transaction(CHECK) as conn:
        start = time.perf_counter()
        conn.execute(text("select count(conflict_kind) from scout.v_person_attribution_live")).one()
        show("live definition: every person recomputed", time.perf_counter() - start, size)
    _pending(db, show)
    show("a run with nothing to do, in the database", _idle_run(db, settings), 0)
    _settling(db, show, size)
    _ingest(db, show)
    db.dispose()
    bench._run_admin(server, "drop database bench_state with (force)")


def _pending(db: Database, show: Callable[..., None]) -> None:
    with db.transaction(ADMIN) as conn:
        _touch(conn, PENDING)
        conn.exec_driver_sql("set local role scout_reader; set local jit = off")
        show(f"snapshot, {PENDING:,} persons pending", _median(lambda: coverage.snapshot(conn)))
        show(
            f"conflicts, {PENDING:,} pending, page 1",
            _median(lambda: conflicts.list_open(conn, total=0)),
        )
        conn.exec_driver_sql("reset role")
        conn.rollback()
        conn.begin()


def _settling(db: Database, show: Callable[..., None], size: int) -> None:
    for count in (1_000, 50_000):
        if count > size:
            continue
        with db.transaction(ADMIN) as conn:
            _touch(conn, count)
        start = time.perf_counter()
        settle.settle(db)
        show(f"settle {count:,} touched persons", time.perf_counter() - start, count)


def _ingest(db: Database, show: Callable[..., None]) -> None:
    seconds = {}
    for name in ("disable", "enable"):
        with db.transaction(ADMIN) as conn:
            conn.exec_driver_sql(f"alter table observational.lead_events {name} trigger user")
            start = time.perf_counter()
            conn.execute(
                text(
                    "insert into observational.lead_events"
                    " (source_table, source_pk, event_date, person_key, scout_id, payload_json)"
                    " select 'bench', 'bench ' || g.n || r.person_key, current_date,"
                    " r.person_key, 1, '{}'"
                    " from generate_series(1, 50) as g (n) cross join"
                    " (select person_key from canon.identity_registry limit 2000) as r"
                )
            )
            seconds[name] = time.perf_counter() - start
            conn.rollback()
            conn.begin()
    show("bare: insert 100,000 events", seconds["disable"], 100_000)
    show("the same, tracked", seconds["enable"], 100_000)
    print(f"{'':11}tracking costs x {seconds['enable'] / seconds['disable']:.2f}")


def _touch(conn: Connection, count: int) -> None:
    conn.execute(
        text(
            "insert into scout.pending_persons (person_key) select r.person_key"
            " from canon.identity_registry as r order by md5(r.person_key::text) limit :count"
        ),
        {"count": count},
    )


def _deep(conn: Connection, name: str, reader: Callable[..., Any], sort: str) -> str | None:
    """The cursor that opens page 1,000 of 50 rows, without walking there; null when shorter."""
    size = paging.MAX_PAGE_SIZE
    cursor, seen = None, 0
    while seen < (DEEP_PAGE - 1) * 50:
        page = reader(conn, sort=sort, after=cursor, page_size=size, total=0)
        if page.after is None:
            return None
        cursor, seen = page.after, seen + size
    return cursor


def _idle_run(db: Database, settings: Settings) -> float:
    """Seconds that the statements of a run with nothing to do take, the second of two."""
    spent: list[float] = []
    began: list[float] = []

    def before(*_: object) -> None:
        began.append(time.perf_counter())

    def after(*_: object) -> None:
        spent.append(time.perf_counter() - began.pop())

    for _ in range(2):
        refresh.run_refresh(db, settings, actor=Actor("bench", "admin"))
    event.listen(db._engine, "before_cursor_execute", before)
    event.listen(db._engine, "after_cursor_execute", after)
    refresh.run_refresh(db, settings, actor=Actor("bench", "admin"))
    event.remove(db._engine, "before_cursor_execute", before)
    event.remove(db._engine, "after_cursor_execute", after)
    return sum(spent)


def _read(conn: Connection, view: str) -> None:
    conn.execute(text(f"select * from {view}")).all()


def _median(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
