"""The day of a moment is Lima's, whatever zone the server and its sessions are in."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import NullPool, create_engine, text

from scout_core.db import sql
from scout_core.db.database import LOOK, Database
from tests.support import databases
from tests.support import factories as new
from tests.support.job import broken, key, refresh, settings, value, writing
from tests.support.state import effects

ZONES = ["UTC", "America/Lima", "Pacific/Auckland"]
LAST_DAY = date(2025, 12, 31)
DAYS = {
    "evidence": """
        select r.priority, r.attribution_date from ops.v_scout_attribution_raw as r
        order by r.priority""",
    "attributed by day": """
        select on_date, lead_ledger_count, scouting_daily_count from scout.v_attributed_by_day
        order by on_date""",
    "canonical": """
        select scout_id, attribution_date from ops.v_scout_attribution order by person_key""",
    "backlog": """
        select first_event_date, last_event_date from ops.v_persons_without_scout_categorized
        where event_count > 0 order by person_key""",
    "conflicts": """
        select conflict_kind, scout_ids, first_event_date from ops.v_scout_attribution_conflicts
        order by person_key""",
}


@pytest.fixture(params=ZONES)
def zoned(request, server_url: str) -> Iterator[tuple[str, str]]:
    """A zone, and the URL of a database whose sessions are in it."""
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        name = value(url, "select current_database()")
        databases.execute(server_url, f"alter database {name} set timezone = '{request.param}'")
        yield request.param, url


def at_midnight(url: str) -> None:
    """Moments that are on another day in London or Auckland than in Lima."""
    evening = datetime(2026, 1, 1, 3, tzinfo=UTC)  # 22:00 of 31 December in Lima
    with writing(url) as conn:
        for name in ("ana", "beto", "carla"):
            new.person(conn, key=key(name), license=f"{name}100".upper())
        # not tracked: the ledger has had these scouts since that evening
        conn.exec_driver_sql("set local session_replication_role = replica")
        new.ledger(conn, person=key("ana"), scout=5, at=evening)
        new.ledger(conn, person=key("beto"), scout=4, at=evening)
        new.lead_event(conn, person=key("ana"), scout=5, on=LAST_DAY, created_at=evening)
        new.lead_event(conn, person=key("carla"), scout=8, on=LAST_DAY, created_at=evening)
        # without a zone means Lima's own, as the source writes it: newer than beto's scout
        later = "2025-12-31 23:30"
        row = new.migration(conn, scout=6, at=later, created_at=later)
        new.link(conn, person=key("beto"), table="module_ct_migrations", pk=row, linked_at=evening)
        row = new.scouting_row(conn, scout=7, on=LAST_DAY, created_at=later)
        new.link(
            conn, person=key("carla"), table="module_ct_scouting_daily", pk=row, linked_at=evening
        )


def days(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """What somebody sees who asks with a client of their own, in the zone of the database."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as conn:
        return {name: [tuple(r) for r in conn.execute(text(query))] for name, query in DAYS.items()}


def test_days_are_those_of_lima_in_every_zone_of_the_server(zoned: tuple[str, str]):
    zone, url = zoned
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as conn:
        assert conn.scalar(text("show timezone")) == zone
    at_midnight(url)
    shown = days(url)
    assert {day for _, day in shown["evidence"]} == {LAST_DAY}
    assert [priority for priority, _ in shown["evidence"]] == [1, 1, 2, 2, 3, 4]
    assert shown["attributed by day"] == [(LAST_DAY, 2, 1)]
    assert {day for _, day in shown["canonical"]} == {LAST_DAY}
    assert shown["backlog"] == [(LAST_DAY, LAST_DAY)]
    assert sorted(kind for kind, _, _ in shown["conflicts"]) == [
        "CONTRADICTS_LEDGER",
        "SEVERAL_SCOUTS",
    ]
    db = Database(url)
    with db.transaction(LOOK) as conn:
        for name, query in DAYS.items():
            assert [tuple(r) for r in conn.execute(text(query))] == shown[name], name
    db.dispose()


def test_run_in_every_zone_has_the_same_effects_and_seals_that_hold(
    zoned: tuple[str, str], db: Database, db_url: str
):
    _, url = zoned
    for each in (url, db_url):
        at_midnight(each)
        with writing(each) as conn:
            new.person(conn, key=key("dora"))
            new.lead_event(conn, person=key("dora"), scout=7, on=LAST_DAY)
            new.scouting_row(conn, scout=6, license="NUEVO-100", on=LAST_DAY)
    other = Database(url)
    refresh(other)
    refresh(db)
    assert effects(url) == effects(db_url)
    today = datetime.now(ZoneInfo(settings().source_timezone)).date()
    assert value(url, "select max(metric_date) from scout.metrics_history") == today
    assert broken(other) == {}
    # also for somebody who verifies with a client of their own
    engine = create_engine(url, poolclass=NullPool)
    check = (sql.ROOT / "health" / "invariants" / "seals_hold.sql").read_text()
    with engine.connect() as conn:
        assert conn.execute(text(check)).all() == []
    other.dispose()
