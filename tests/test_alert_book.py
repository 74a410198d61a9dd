"""Alerts have a life: opened, acknowledged, muted, worse, gone and back again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from scout_core import alert_book, settle
from scout_core.conditions import Condition, News
from scout_core.database import ADMIN, JOB, Database
from tests.support import factories as new
from tests.support.job import key
from tests.support.looking import refresh

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
STANDING = "select rule, subject, status from scout.alerts where status <> 'RESOLVED'"


def late(severity: str = "WARN", subject: str = "refresh") -> Condition:
    return Condition("JOB_LATE", subject, severity, f"The job is late: {severity}.")


def sync(db: Database, *conditions: Condition, now: datetime = NOW, **how: Any) -> News:
    with db.transaction(JOB) as conn:
        return alert_book.sync(conn, conditions, now, **how)


def rows(db: Database, query: str) -> set[tuple[Any, ...]]:
    with db.transaction(ADMIN) as conn:
        return {tuple(row) for row in conn.execute(text(query))}


def test_first(db):
    print(sync(db, late()))
    print(sync(db, late("FAIL")))
    print(sync(db))
    print(sync(db, late()))
    print(rows(db, "select event, status, severity from scout.alert_events"))
    with db.transaction(ADMIN) as conn:
        ana, luis = new.person(conn, key=key("ana")), new.person(conn, key=key("luis"))
        for s in (1, 2):
            new.lead_event(conn, person=ana, scout=s)
        new.lead_event(conn, person=luis, payload={"scout_id": "abc"})
        new.scouting_row(conn, scout=7)
        new.cabinet_lead(conn, external="L1")
        new.cabinet_lead(conn, external="L2")
        new.link(conn, person=luis, table="module_ct_cabinet_leads", pk="L2")
    refresh(db)
    print(sync(db, late()))
    print(rows(db, STANDING))
    print(sync(db, late()))
