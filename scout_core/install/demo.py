"""The demo: an invented data set in the owner's tables, in real proportions, on an empty database.

The files sql/demo/NN_*.sql make the rows, in their order; all or nothing is loaded.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, TextClause, text

from scout_core import __version__
from scout_core.db import sql
from scout_core.db.database import ADMIN, ADMIN_LOOK, Database
from scout_core.errors import DemoRefused
from scout_core.install import init
from scout_core.settings import Settings

Report = Callable[[str], None]

SMALLEST, LARGEST = 100, 10_000_000
LARGEST_SEED = 2**31 - 1

# Written on schema canon while a load is under way: what a killed one left can be told from data.
UNDER_WAY = "Invented demo data, not loaded to the end."

LOCK = (1396920149, 3)
LOCK_PATIENCE_SECONDS = 600

STEPS = (
    ("01_persons", "Persons and scouts."),
    ("02_evidence", "Evidence."),
    ("03_scouting", "Scouting rows."),
    ("04_leads", "Cabinet leads, migrations, cabinet payments."),
    ("05_events", "Lead events."),
    ("06_drivers", "Drivers and identity links."),
    ("07_ledger", "Lead ledger."),
    ("08_claims", "Claims, payment rules, liquidation."),
    ("09_sequences", None),
    ("source_constraints", "Keys and indexes."),
)

TABLES = (
    "canon.identity_registry",
    "canon.identity_links",
    "canon.identity_unmatched",
    "canon.drivers_index",
    "observational.lead_events",
    "observational.lead_ledger",
    "ops.ingestion_runs",
    "ops.scout_payment_rules",
    "ops.scout_liquidation_ledger",
    "public.drivers",
    "public.module_ct_scouts_list",
    "public.module_ct_scouting_daily",
    "public.module_ct_migrations",
    "public.module_ct_cabinet_leads",
    "public.module_ct_cabinet_payments",
    "public.peer_claims",
)


@dataclass(frozen=True)
class DemoReport:
    """What was loaded. rows: per table, schema-qualified, the owner's tables only."""

    persons: int
    seed: int
    rows: dict[str, int]
    has_past_refreshes: bool


@dataclass(frozen=True)
class _Loaded:
    today: date
    marks: str
    rows: dict[str, int]
    has_past_refreshes: bool


def load(
    db: Database,
    settings: Settings,
    *,
    persons: int = 2033,
    seed: int = 1,
    report: Report,
    today: date | None = None,
) -> DemoReport:
    """Load the demo data into an empty database and install. `report` gets a line per step.

    The same seed gives the same data; dates are relative to `today`, the day in Lima when null.
    Raises DemoRefused for a database that holds anything. After any failure it is empty again.
    """
    _check(db, persons, seed)
    with _alone(db, report):
        _require_empty(db, report)
        return _load(db, settings, persons, seed, today, report)


def load_if_missing(
    db: Database,
    settings: Settings,
    *,
    persons: int = 2033,
    seed: int = 1,
    report: Report,
    today: date | None = None,
) -> DemoReport | None:
    """As `load`; None, and nothing done, when the database holds demo data already."""
    _check(db, persons, seed)
    with _alone(db, report):
        if find_loaded(db) is not None:
            return None
        _require_empty(db, report)
        return _load(db, settings, persons, seed, today, report)


def find_loaded(db: Database) -> str | None:
    """What demo data the database holds, e.g. `persons=2033 seed=1`; None when it holds none."""
    with db.transaction(ADMIN_LOOK) as conn:
        if conn.scalar(text("select to_regclass('scout.install_facts')")) is None:
            return None
        _as_owner(conn)
        value = conn.scalar(text("select value from scout.install_facts where name = 'demo'"))
        return None if value is None else str(value)


def _check(db: Database, persons: int, seed: int) -> None:
    if not SMALLEST <= persons <= LARGEST or not 0 <= seed <= LARGEST_SEED:
        raise DemoRefused(
            f"{persons} persons with seed {seed} cannot be made: give {SMALLEST} to {LARGEST} "
            f"persons and a seed of 0 to {LARGEST_SEED}."
        )
    with db.transaction(ADMIN_LOOK) as conn:
        init.check_server(conn)


def _load(
    db: Database, settings: Settings, persons: int, seed: int, today: date | None, report: Report
) -> DemoReport:
    try:
        loaded = _load_sources(db, settings, persons, seed, today, report)
        report("Statistics.")
        with db.transaction(ADMIN) as conn:
            _run(conn, "analyze " + ", ".join(TABLES))
        init.init(db, settings, report=report)
        report("Past runs, decisions, holds, the numbers of the past 30 days.")
        _load_past(db, settings, loaded, persons, seed)
    except BaseException:
        _drop_loaded(db)
        raise
    return DemoReport(persons, seed, loaded.rows, loaded.has_past_refreshes)


@contextmanager
def _alone(db: Database, report: Report) -> Iterator[None]:
    """Hold the lock of the demo. Asks again instead of waiting in the server: a statement that
    waits there would stop an index from being built concurrently."""
    started, told = time.monotonic(), False
    while True:
        with db.transaction(ADMIN) as conn:
            _run(conn, "set local idle_in_transaction_session_timeout = 0")
            if conn.scalar(
                text("select pg_try_advisory_xact_lock(:space, :key)"),
                {"space": LOCK[0], "key": LOCK[1]},
            ):
                yield
                return
        if time.monotonic() - started > LOCK_PATIENCE_SECONDS:
            raise DemoRefused(
                "Another demo has been loading into this database for ten minutes: nothing was "
                "done. Look whether it is stuck, then try again."
            )
        if not told:
            report("Another demo is loading into this database: waiting for it.")
            told = True
        time.sleep(0.2)


def _require_empty(db: Database, report: Report) -> None:
    with db.transaction(ADMIN_LOOK) as conn:
        found = [row.name for row in conn.execute(sql.statement("demo/contents"))]
        remark = conn.scalar(
            text("select obj_description(to_regnamespace('canon'), 'pg_namespace')")
        )
        database = conn.scalar(text("select current_database()"))
    if remark == UNDER_WAY:
        report("An earlier load did not end: taking away what it left.")
        _drop_loaded(db)
        return
    if not found:
        return
    loaded = find_loaded(db)
    if loaded is not None:
        raise DemoRefused(
            f"Database {database} holds the demo data already ({loaded}): nothing was loaded. For "
            "another set, use another database."
        )
    others = f" and {len(found) - 3} more" if len(found) > 3 else ""
    raise DemoRefused(
        f"Database {database} is not empty ({', '.join(found[:3])}{others}): nothing was loaded. "
        "Use an empty database."
    )


def _load_sources(
    db: Database, settings: Settings, persons: int, seed: int, today: date | None, report: Report
) -> _Loaded:
    report(f"Inventing {persons:,} persons with seed {seed}.")
    with db.transaction(ADMIN) as conn:
        _prepare(conn, settings)
        _run_file(conn, "source_tables")
        _run(conn, f"comment on schema canon is '{UNDER_WAY}'")
        conn.execute(
            text(
                "create temporary table demo_settings on commit drop as select"
                " cast(:persons as bigint) as persons, cast(:seed as bigint) as seed,"
                " coalesce(cast(:today as date), (now() at time zone 'America/Lima')::date)"
                " as today"
            ),
            {"persons": persons, "seed": seed, "today": today},
        )
        for file, label in STEPS:
            if label:
                report(label)
            _run_file(conn, file)
        facts = conn.execute(sql.statement("demo/facts")).one()
        counts = {name: int(conn.scalar(_count_of(name)) or 0) for name in TABLES}
        return _Loaded(
            today=facts.today,
            marks=json.dumps(facts.marks),
            rows=counts,
            has_past_refreshes=(
                facts.changes <= settings.guard_max_rows
                and 100.0 * facts.changes / persons <= settings.guard_max_pct
            ),
        )


def _load_past(db: Database, settings: Settings, loaded: _Loaded, persons: int, seed: int) -> None:
    with db.transaction(ADMIN) as conn:
        _prepare(conn, settings)
        conn.execute(
            text(
                "create temporary table demo_settings on commit drop as select"
                " cast(:today as date) as today, cast(:seed as bigint) as seed,"
                " cast(:has_past_refreshes as boolean) as has_past_refreshes,"
                " cast(:version as text) as version"
            ),
            {
                "today": loaded.today,
                "seed": seed,
                "has_past_refreshes": loaded.has_past_refreshes,
                "version": __version__,
            },
        )
        conn.execute(
            text(
                "create temporary table demo_marks on commit drop as select * from"
                " jsonb_to_recordset(cast(:marks as jsonb))"
                " as m (cohort text, person_key uuid, scout_id integer)"
            ),
            {"marks": loaded.marks},
        )
        _run(conn, "grant select on demo_settings, demo_marks to public")
        _run_file(conn, "past_runs")
        _run(conn, "comment on schema canon is 'Invented demo data.'")
        _as_owner(conn)
        _run_file(conn, "past_state")
        conn.execute(
            text(
                "insert into scout.install_facts (name, value) values ('demo', :value)"
                " on conflict (name) do update set value = excluded.value"
            ),
            {"value": f"persons={persons} seed={seed}"},
        )


def _drop_loaded(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        if _as_owner(conn):
            _run(conn, "drop schema scout cascade")
            _run(conn, "reset role")
        _run_file(conn, "drop_loaded")
    db.forget()


def _prepare(conn: Connection, settings: Settings) -> None:
    # Times in the files are local ones; this is what makes them instants.
    conn.execute(
        text("select set_config('timezone', :zone, true)"), {"zone": settings.source_timezone}
    )
    _run(conn, "set local work_mem = '256MB'; set local maintenance_work_mem = '512MB'")


def _as_owner(conn: Connection) -> bool:
    """Take the role that owns schema scout; False when there is no such schema."""
    owner = conn.scalar(
        text(
            "select quote_ident(pg_get_userbyid(n.nspowner)) from pg_namespace as n"
            " where n.nspname = 'scout'"
        )
    )
    if owner is not None:
        _run(conn, f"set local role {owner}")
    return owner is not None


def _count_of(table: str) -> TextClause:
    return text(f"select count(*) from {table}")  # noqa: S608 - names of our own list


def _run_file(conn: Connection, name: str) -> None:
    _run(conn, (sql.ROOT / "demo" / f"{name}.sql").read_text(encoding="utf-8"))


def _run(conn: Connection, script: str) -> None:
    conn.exec_driver_sql(script, execution_options={"no_parameters": True})
