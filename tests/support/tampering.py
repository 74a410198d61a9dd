"""A database in which everything that is sealed has happened, and ways to change it behind the
product's back, in a transaction that is rolled back."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, NullPool, create_engine

from scout_core.access import denials, tokens
from scout_core.access.permissions import Actor
from scout_core.alerts import acts, rounds
from scout_core.db import sql
from scout_core.db.database import CONTROL, Database
from scout_core.decide import erasure, undo
from scout_core.errors import PermissionDenied
from scout_core.export import delivery
from scout_core.export.writer import Form
from scout_core.health import invariants, source_checks
from scout_core.runs import runner
from tests.support import factories as new
from tests.support.job import decide, do, key, refresh, settings, story, value, writing

ADMIN = Actor("adela", "admin")
VIEWER = Actor("vera", "viewer")
REASON = "the wrong file was loaded"
# what is read, and changes nothing that is counted
CHANNEL = {"SCOUT_NOTIFY_URLS": "json://localhost:9/x"}
# the proofs that rows are what they were
PROOFS = ("seals_hold", "runs_are_sealed", "tokens_equal_their_events")
EVENTS_AUDIT = "ops.lead_events_scout_backfill_audit"
# tables of which there are rows with and without a run
OF_BOTH = {
    "ops.lead_ledger_scout_backfill_audit": "ingestion_run_id",
    "scout.alert_events": "run_id",
    "scout.health_changes": "run_id",
    "scout.outbox": "run_id",
}


def live(db: Database, url: str) -> None:
    """Runs, decision, undo, failed runs, exports, refusals, tokens, alerts, messages, results of
    checks: each at least twice, and all of it sealed."""
    now = datetime.now(UTC)
    for tag in ("", "b"):
        story(url, tag)
        _refresh_with_events(db, url, tag)
    decided = decide_of(db, "carla", 9)
    decide(db, "carlab", None)
    undo.run_undo(db, actor=ADMIN, run_id=decided, reason=REASON)
    for name, action in (("ana", "run"), ("anab", "undo")):
        fail(db)
        erasure.erase(db, actor=ADMIN, person_key=str(key(name)), reason=REASON)
        denials.record(db, VIEWER, PermissionDenied(action=action), "api")
        delivery.export_to(
            db, db, "runs", None, io.BytesIO(), Form(), actor=ADMIN, via="cli", now=now
        )
        with db.transaction(CONTROL) as conn:
            conn.execute(
                sql.query("notify/outbox", "record_test"),
                {
                    "channel": "json:12345678",
                    "is_ok": False,
                    "outcome": "TIMEOUT",
                    "http_status": None,
                    "took_ms": 5,
                    "actor": "adela",
                },
            )
    for name in ("one", "two"):
        made = tokens.create(db, actor=ADMIN, name=name, role="viewer", now=now)
        if name == "one":
            tokens.revoke(db, actor=ADMIN, token_id=made.token_id)
    source_checks.run_checks(db, settings(), now, actor=ADMIN)
    for name in ("fay", "gil", "hugo"):
        with writing(url) as conn:
            new.person(conn, key=key(name))
            for scout in (7, 9):
                new.lead_event(conn, person=key(name), scout=scout)
        rounds.make_round(db, settings(**CHANNEL), now)
    alert = value(url, "select min(alert_id) from scout.alerts where status = 'OPEN'")
    acts.ack(db, actor=ADMIN, alert_id=alert, reason=REASON, now=now)
    refresh(db, environ=CHANNEL)


def decide_of(db: Database, name: str, scout: int) -> int:
    """Decide, and tell the number of the run."""
    decide(db, name, scout)
    with db.transaction(CONTROL) as conn:
        return int(conn.exec_driver_sql("select max(run_id) from scout.runs").scalar_one())


def _refresh_with_events(db: Database, url: str, tag: str) -> None:
    """A refresh that also wrote scouts to events, as none does yet."""
    with pytest.MonkeyPatch.context() as patched:

        def writes(point: str) -> None:
            if point == "mid work":
                do(
                    url,
                    f"insert into {EVENTS_AUDIT} (lead_event_id, new_scout_id, ingestion_run_id,"
                    " actor) select n, 7, max(run_id), 'olga' from scout.runs,"
                    " generate_series(1, 2) as n group by n",
                )

        patched.setattr(runner, "at", writes)
        refresh(db, environ=CHANNEL)


def fail(db: Database) -> None:
    """A refresh that fails after it has committed a batch, if there was anything to do."""
    with pytest.MonkeyPatch.context() as patched:

        def fails(point: str) -> None:
            if point == "before commit":
                raise KeyboardInterrupt

        patched.setattr(runner, "at", fails)
        with pytest.raises(KeyboardInterrupt):
            refresh(db, environ={"SCOUT_RUN_MAX_ROWS": "1"})


@contextmanager
def attacking(url: str, *tables: str) -> Iterator[Connection]:
    """A superuser's transaction in which nothing protects these tables; rolled back."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect().execution_options(no_parameters=True) as conn:
        attack = conn.begin()
        conn.exec_driver_sql("set local session_replication_role = replica")
        for table in tables:
            unprotect(conn, table)
        yield conn
        attack.rollback()


def unprotect(conn: Connection, table: str) -> None:
    """Without triggers, checks, keys of others and generated numbers."""
    conn.exec_driver_sql(f"alter table {table} disable trigger all")
    dropped = conn.exec_driver_sql(
        "select format('alter table %s drop constraint if exists %I cascade', conrelid::regclass,"
        " conname) from pg_constraint where contype in ('c', 'f', 'u') and"
        f" '{table}'::regclass in (conrelid, confrelid)"
        " union all select format('drop index if exists %s', indexrelid::regclass) from pg_index"
        f" where indisunique and not indisprimary and indrelid = '{table}'::regclass"
        " union all select format('alter table %s alter column %I drop identity',"
        f" attrelid::regclass, attname) from pg_attribute where attrelid = '{table}'::regclass"
        " and attidentity <> ''"
    )
    for (statement,) in dropped.all():
        conn.exec_driver_sql(statement)


def is_found(conn: Connection) -> bool:
    """Whether a proof fails, as this transaction sees the database."""
    return any(not invariants._check(conn, name, is_sampled=False).holds for name in PROOFS)


# how a value of each type becomes another one
OTHER_VALUE = {
    "text": "coalesce({c}, '') || 'x'",
    "character varying": "coalesce({c}, '') || 'x'",
    "integer": "coalesce({c}, 0) + 100000",
    "bigint": "coalesce({c}, 0) + 100000",
    "smallint": "coalesce({c}, 0) + 1",
    "numeric": "coalesce({c}, 0) + 1",
    "boolean": "not coalesce({c}, false)",
    "timestamp with time zone": "coalesce({c}, now()) + interval '1 microsecond'",
    "date": "coalesce({c}, current_date) + 1",
    "uuid": "md5(coalesce({c}::text, ''))::uuid",
    "jsonb": "jsonb_build_object('x', {c})",
    "json": "json_build_object('x', {c})",
    "integer[]": "array_append({c}, 7)",
    "bigint[]": "array_append({c}, 7)",
    "text[]": "array_append({c}, 'x')",
    "bytea": "sha256(coalesce({c}, ''))",
    "runstatus": "case {c} when 'FAILED' then 'COMPLETED' else 'FAILED' end::runstatus",
    "jobtype": "case {c} when 'scout_attribution_undo' then 'scout_attribution_refresh'"
    " else 'scout_attribution_undo' end::jobtype",
}
