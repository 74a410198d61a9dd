"""The daily view: 31 Lima days, recorded where a run was, estimated and marked elsewhere."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scout_core.db.database import ADMIN, Database
from tests.support import factories
from tests.support.looking import look, refresh, value, write

LIMA = ZoneInfo("America/Lima")
VIEW = "v_scout_attribution_metrics_daily"
NUMBERS = ("total_persons", "satisfactory_count", "missing_count", "conflicts_count")
SOURCES = ("by_source_scouting_daily", "by_source_cabinet_leads", "by_source_lead_ledger")


@pytest.fixture
def today(db: Database) -> date:
    """Today in Lima; a test that meets midnight has some seconds to spare."""
    now = datetime.now(LIMA)
    if now.hour == 23 and now.minute >= 58:
        pytest.skip("the day is about to change")
    shown: date = value(db, "select scout.lima_date(now())")
    return shown


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """An instant of a Lima day."""
    return datetime.combine(day, time(hour, minute), LIMA).astimezone(UTC)


def days_of(db: Database) -> dict[date, dict[str, Any]]:
    listed = look(db).views[VIEW]
    assert len(listed) == 31
    return {row["metric_date"]: row for row in listed}


def numbers(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in NUMBERS)


def by_source(row: dict[str, Any]) -> tuple[int, ...]:
    return tuple(row[name] for name in SOURCES)


def recorded(db: Database, day: date, *counts: int | None) -> None:
    """A row of the history: total, satisfactory, missing, conflicts, by source three times."""
    values = ", ".join("null" if count is None else str(count) for count in counts)
    write(
        db,
        "insert into scout.metrics_history (metric_date, total_persons, satisfactory_count,"
        " missing_count, conflicts_count, by_source_scouting_daily, by_source_cabinet_leads,"
        f" by_source_lead_ledger, lead_persons, satisfactory_lead_count) values (:day, {values},"
        " 0, 0)",
        day=day,
    )


def test_days_are_today_and_the_thirty_before_each_once(db: Database, today: date) -> None:
    days = days_of(db)
    assert sorted(days) == [today - timedelta(days=n) for n in range(30, -1, -1)]
    assert [day for day, row in days.items() if not row["is_estimated"]] == [today]
    assert {row["pct_satisfactory"] for row in days.values()} == {None}
    assert numbers(days[today]) == (0, 0, 0, 0)
    assert numbers(days[today - timedelta(days=1)]) == (0, 0, 0, None)


def test_days_before_the_installation_are_estimated_from_timestamps(
    db: Database, today: date
) -> None:
    five, forty = today - timedelta(days=5), today - timedelta(days=40)
    with db.transaction(ADMIN) as conn:
        old = factories.person(conn, created_at=at(forty))
        late = factories.person(conn, created_at=at(five, 23, 59))
        factories.person(conn, created_at=at(five + timedelta(days=1), 0, 0))
        # attributed before it was registered, and registered in the future
        hasty = factories.person(conn, created_at=at(today - timedelta(days=2)))
        factories.person(conn, created_at=at(today + timedelta(days=3)))
        factories.ledger(conn, person=old, scout=7, at=at(today - timedelta(days=3)))
        factories.ledger(conn, person=hasty, scout=7, at=at(today - timedelta(days=20)))
        factories.ledger(conn, person=late, at=at(five))
    days = days_of(db)
    shown = {(today - day).days: numbers(row) for day, row in days.items()}
    assert shown[30] == (1, 0, 1, None)
    assert shown[20] == (1, 1, 0, None)
    assert shown[6] == (1, 1, 0, None)
    assert shown[5] == (2, 1, 1, None)
    assert shown[4] == (3, 1, 2, None)
    assert shown[3] == (3, 2, 1, None)
    assert shown[2] == (4, 2, 2, None)
    assert shown[1] == (4, 2, 2, None)
    assert shown[0] == (5, 2, 3, 0)
    for row in days.values():
        assert row["total_persons"] == row["satisfactory_count"] + row["missing_count"]
        assert min(numbers(row)[:3]) >= 0
        assert row["is_estimated"] is (row["metric_date"] != today)
    assert by_source(days[today - timedelta(days=3)]) == (0, 0, 1)
    assert by_source(days[five]) == (0, 0, 0)
    assert str(days[five]["pct_satisfactory"]) == "50.00"


def test_more_attributed_than_registered_is_never_a_negative_number(
    db: Database, today: date
) -> None:
    with db.transaction(ADMIN) as conn:
        for _ in range(3):
            person = factories.person(conn, created_at=at(today - timedelta(days=1)))
            factories.ledger(conn, person=person, scout=7, at=at(today - timedelta(days=10)))
    days = days_of(db)
    assert numbers(days[today - timedelta(days=10)]) == (0, 0, 0, None)
    assert numbers(days[today - timedelta(days=1)]) == (3, 3, 0, None)


def test_recorded_days_are_shown_as_recorded_and_carried_over_days_without_a_run(
    db: Database, today: date
) -> None:
    with db.transaction(ADMIN) as conn:
        person = factories.person(conn, created_at=at(today - timedelta(days=25)))
        row = factories.scouting_row(conn)
        factories.link(
            conn,
            person=person,
            table="module_ct_scouting_daily",
            pk=row,
            at=at(today - timedelta(days=2)),
        )
    recorded(db, today - timedelta(days=10), 90, 30, 60, 4, 5, 6, 7)
    recorded(db, today - timedelta(days=4), 100, 80, 20, 3, 1, 2, 3)
    # what a run recorded of today gives way to what is true now
    recorded(db, today, 500, 400, 100, 9, 9, 9, 9)
    days = days_of(db)
    shown = {(today - day).days: row for day, row in days.items()}
    assert numbers(shown[10]) == (90, 30, 60, 4)
    assert by_source(shown[10]) == (5, 6, 7)
    assert str(shown[10]["pct_satisfactory"]) == "33.33"
    for ago in range(5, 10):
        assert numbers(shown[ago]) == (90, 30, 60, 4)
        assert by_source(shown[ago]) == (0, 0, 0)
    assert numbers(shown[4]) == (100, 80, 20, 3)
    for ago in (3, 2, 1):
        assert numbers(shown[ago]) == (100, 80, 20, 3)
    assert by_source(shown[2]) == (1, 0, 0)
    assert numbers(shown[11]) == (1, 0, 1, None)
    assert numbers(shown[0]) == (1, 0, 1, 0)
    marked = {ago for ago, row in shown.items() if row["is_estimated"]}
    assert marked == set(range(1, 31)) - {10, 4}


def test_persons_by_source_are_counted_once_on_their_lima_day(db: Database, today: date) -> None:
    """03:00 UTC is still the day before in Lima."""
    yesterday = today - timedelta(days=1)
    night = datetime.combine(today, time(3), UTC)
    with db.transaction(ADMIN) as conn:
        ana, luis = factories.person(conn), factories.person(conn)
        for person in (ana, ana, luis):
            row = factories.scouting_row(conn)
            factories.link(conn, person=person, table="module_ct_scouting_daily", pk=row, at=night)
        for n, moment in enumerate((at(yesterday), at(today, 0, 0))):
            lead = f"day-{n}"
            factories.cabinet_lead(conn, external=lead)
            factories.link(conn, person=ana, table="module_ct_cabinet_leads", pk=lead, at=moment)
        factories.ledger(conn, person=ana, scout=7, at=night)
        factories.ledger(conn, person=luis, at=night)
    days = days_of(db)
    assert by_source(days[yesterday]) == (2, 1, 1)
    assert by_source(days[today]) == (0, 1, 0)
    assert by_source(days[yesterday - timedelta(days=1)]) == (0, 0, 0)


def test_run_records_today_and_what_earlier_days_still_got(db: Database, today: date) -> None:
    yesterday = today - timedelta(days=1)
    recorded(db, yesterday, 9, 8, 1, 0, 0, 0, 0)
    with db.transaction(ADMIN) as conn:
        ana, luis = factories.person(conn), factories.person(conn)
        factories.lead_event(conn, person=ana, scout=7)
        # attributed last evening, after the last run of that day
        factories.ledger(conn, person=luis, scout=7, at=at(yesterday, 23, 30))
    refresh(db)
    days = days_of(db)
    assert by_source(days[yesterday]) == (0, 0, 1)
    assert numbers(days[yesterday]) == (9, 8, 1, 0)
    assert numbers(days[today]) == (2, 2, 0, 0)
    assert by_source(days[today]) == (0, 0, 1)
    kept = value(
        db, "select (total_persons, satisfactory_count, by_source_lead_ledger)::text"
        " from scout.metrics_history where metric_date = :day", day=today
    )  # fmt: skip
    assert kept == "(2,2,1)"
