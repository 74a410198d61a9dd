"""`make bench`: the steps of the job beside the bare statements that write the same rows.

Each size gets a database of its own on a PostgreSQL that is started for the bench; product and
bare statements run on clones of it, one after the other, in the same run.
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import event, text

from scout_core import embedded, logs
from scout_core.access.permissions import Actor
from scout_core.db import connecting, sql
from scout_core.db.database import ADMIN, CHECK, Database
from scout_core.install import init
from scout_core.job import refresh
from scout_core.settings import Settings

HERE = Path(__file__).parent
SOURCE_TABLES = sql.ROOT / "demo"
SERVER = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "autovacuum": "off",
}
EVERYBODY = {"after_key": str(UUID(int=0)), "upto_key": str(UUID(int=2**128 - 1))}
LINK_STATEMENTS = ("plan_links", "link_identities", "leave_unmatched")


def main() -> None:
    """Measure every size and print one table."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument(
        "--persons", default="50000,500000", help="sizes, comma-separated (default %(default)s)"
    )
    parser.add_argument(
        "--max-rows",
        type=int,
        default=Settings().run_max_rows,
        help="SCOUT_RUN_MAX_ROWS of the measured run (default %(default)s, the product's own)",
    )
    given = parser.parse_args()
    sizes = [int(size) for size in given.persons.split(",")]
    logs.configure("ERROR", json=False)
    with tempfile.TemporaryDirectory(prefix="scout-bench-", ignore_cleanup_errors=True) as folder:
        data_dir = Path(folder)
        server = embedded.start(data_dir, options=SERVER)
        try:
            options = ", ".join(f"{name} {value}" for name, value in SERVER.items())
            print(f"PostgreSQL {server.version // 10000}, {options}")
            print(
                "  persons  work                                              rows  "
                "seconds    rows/s  x bare"
            )
            for size in sizes:
                _measure(server, size, given.max_rows)
        finally:
            embedded.stop(data_dir)


def _measure(server: embedded.Server, size: int, max_rows: int) -> None:
    _run_admin(server, "create database bench_raw")
    raw = Database(server.url_of("bench_raw"))
    with raw.transaction(ADMIN) as conn:
        for name in ("source_tables", "source_constraints"):
            conn.exec_driver_sql((SOURCE_TABLES / f"{name}.sql").read_text(encoding="utf-8"))
        conn.execute(text((HERE / "data.sql").read_text(encoding="utf-8")), {"persons": size})
    settings = Settings(run_max_rows=max_rows)
    init.init(raw, settings, report=lambda _: None)
    raw.dispose()
    _run_admin(server, "vacuum analyze", database="bench_raw")
    with _clone(server, "bench_bare") as bare:
        bare_seconds = _bare(bare)
    with _clone(server, "bench_bare") as bare:
        bare_seconds["update_ledger_in_batches"] = _update_in_batches(bare, max_rows)
    with _clone(server, "bench_product") as product:
        _product(product, settings, size, bare_seconds)
    _run_admin(server, "drop database bench_raw")


def _bare(db: Database) -> dict[str, float]:
    """Seconds of each bare statement: the links with and without their rules, the ledger write."""
    statements = _statements()
    seconds: dict[str, float] = {}
    with db.transaction(ADMIN) as conn:
        conn.execute(sql.statement("job/refresh/choose_joins"))
        conn.exec_driver_sql(statements["open_run"])
        conn.exec_driver_sql("savepoint bare")
        start = time.perf_counter()
        conn.exec_driver_sql(statements["insert_select_links"])
        seconds["insert_select_links"] = time.perf_counter() - start
        conn.exec_driver_sql("rollback to savepoint bare")
        conn.execute(sql.statement("job/refresh/choose_joins"))
        conn.exec_driver_sql(statements["keep_links"])
        conn.exec_driver_sql("set local enable_nestloop = on; analyze public.bench_links")
    _vacuum(db)
    for name in ("insert_links", "update_ledger"):
        with db.transaction(ADMIN) as conn:
            # the change tracking is part of the product
            conn.exec_driver_sql("alter table observational.lead_ledger disable trigger user")
            start = time.perf_counter()
            conn.exec_driver_sql(statements[name], EVERYBODY)
            seconds[name] = time.perf_counter() - start
    return seconds


def _update_in_batches(db: Database, max_rows: int) -> float:
    """Seconds of the ledger write with a commit where the product has one."""
    update = _statements()["update_ledger"]
    with db.transaction(ADMIN) as conn:
        conn.exec_driver_sql("alter table observational.lead_ledger disable trigger user")
        batch_ends = sql.statement("job/refresh/list_batch_ends")
        ends = list(conn.execute(batch_ends, {"row_limit": max_rows}).scalars())
    start = time.perf_counter()
    for after, upto in zip([EVERYBODY["after_key"], *ends[:-1]], ends, strict=True):
        with db.transaction(ADMIN) as conn:
            conn.exec_driver_sql(update, {"after_key": str(after), "upto_key": str(upto)})
    return time.perf_counter() - start


def _statements() -> dict[str, str]:
    parts = re.split(r"^-- name: (\w+)\n", (HERE / "bare.sql").read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _vacuum(db: Database) -> None:
    """Take away what the rolled-back statement left, so that the next starts as it did."""
    engine = connecting.engine(db.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.exec_driver_sql("vacuum canon.identity_links, canon.identity_registry")
    engine.dispose()


def _product(db: Database, settings: Settings, size: int, bare: dict[str, float]) -> None:
    with db.transaction(CHECK) as conn:
        start = time.perf_counter()
        conn.execute(text("select count(l.*) from scout.v_person_attribution_live as l")).one()
        spent = time.perf_counter() - start
        _print(size, "classification: every person from the sources", size, spent)
    with _timed(db) as seconds:
        result = refresh.run_refresh(
            db, settings, actor=Actor("bench", "admin"), force=True, reason="measured by make bench"
        )
    steps = result.stats["steps"]
    linked, scouts = steps["link"]["seen"], steps["propagate"]["changed"]
    spent = sum(seconds.get(name, 0) for name in LINK_STATEMENTS)
    links, ledger = bare["insert_links"], bare["update_ledger"]
    _print(size, "bare: insert the same links, known before", linked, links)
    _print(size, "bare: the rules, then insert the links", linked, bare["insert_select_links"])
    whole = "identity step: plan, links, persons, audit"
    _print(size, whole, linked, spent, spent / bare["insert_select_links"])
    _print(size, "  against links known before", linked, spent, spent / links)
    for name in LINK_STATEMENTS:
        _print(size, f"  of which {name}", linked, seconds.get(name, 0))
    batches = bare["update_ledger_in_batches"]
    _print(size, "bare: write the same scouts in one statement", scouts, ledger)
    _print(size, "bare: the same in the commits of the product", scouts, batches)
    spent = seconds["propagate_scouts"]
    _print(size, "ledger step: lock, write, audit, tracking", scouts, spent, spent / batches)
    _print(size, "  against one statement", scouts, spent, spent / ledger)
    for name in ("list_batch_ends", "record_issues", "record_metrics", "content_of_runs"):
        _print(size, name, size, seconds.get(name, 0))
    lasted = (result.completed_at - result.started_at).total_seconds() if result.completed_at else 0
    _print(size, "the whole run", linked + scouts, lasted)
    start = time.perf_counter()
    refresh.run_refresh(db, settings, actor=Actor("bench", "admin"))
    _print(size, "a run with nothing to do", 0, time.perf_counter() - start)


@contextmanager
def _timed(db: Database) -> Iterator[dict[str, float]]:
    """Seconds per file of sql/job/refresh and per statement of a seal while the block runs."""
    names = {
        path.read_text(encoding="utf-8").splitlines()[0]: path.stem
        for path in (sql.ROOT / "job" / "refresh").glob("*.sql")
    }
    names |= {body.splitlines()[0]: name for name, body in sql.queries("runs/seals").items()}
    seconds: dict[str, float] = {}
    began: list[float] = []

    def before(*_: object) -> None:
        began.append(time.perf_counter())

    def after(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        name = names.get(statement.splitlines()[0], "other")
        seconds[name] = seconds.get(name, 0) + time.perf_counter() - began.pop()

    event.listen(db._engine, "before_cursor_execute", before)
    event.listen(db._engine, "after_cursor_execute", after)
    yield seconds
    event.remove(db._engine, "before_cursor_execute", before)
    event.remove(db._engine, "after_cursor_execute", after)


@contextmanager
def _clone(server: embedded.Server, name: str) -> Iterator[Database]:
    _run_admin(server, f"create database {name} template bench_raw strategy file_copy")
    db = Database(server.url_of(name))
    yield db
    db.dispose()
    _run_admin(server, f"drop database {name} with (force)")


def _run_admin(server: embedded.Server, statement: str, database: str = "postgres") -> None:
    engine = connecting.engine(server.url_of(database), isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.exec_driver_sql(statement)
    engine.dispose()


def _print(size: int, work: str, rows: int, seconds: float, ratio: float | None = None) -> None:
    rate = f"{rows / seconds:>9,.0f}" if rows and seconds else " " * 9
    times = f"{ratio:>7.2f}" if ratio is not None else ""
    print(f"{size:>9,}  {work:44} {rows:>9,} {seconds:>8.2f} {rate} {times}".rstrip())
    sys.stdout.flush()


if __name__ == "__main__":
    main()
