"""Changes of state are kept once, in the commit that sees them; time is passed in."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scout_core import cli
from scout_core.db.database import ADMIN, CONTROL, LOOK, Database
from scout_core.errors import DatabaseError
from scout_core.health import freshness, invariants
from scout_core.health import verdict as health
from scout_core.health.verdict import Change, Verdict
from scout_core.runs import lock, runner
from scout_core.settings import load
from tests.support import factories as new
from tests.support.looking import refresh, rows, value, write

SETTINGS = load({}, dotenv=None)
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
RUN = (
    "insert into ops.ingestion_runs (job_type, status, started_at, completed_at, error_message)"
    " values ('scout_attribution_refresh', '{status}', :started, :ended, :error) returning id"
)
BY_CRON = (
    "insert into scout.runs (run_id, kind, trigger, actor, host, process_id, version)"
    " select max(id), 'refresh', 'cron', 'cron', 'h', 1, '1' from ops.ingestion_runs"
)


def a_run(db: Database, status: str, started: datetime, ended: datetime | None) -> None:
    """A run that the scheduler started."""
    error = "no room" if status == "FAILED" else None
    write(db, RUN.format(status=status), started=started, ended=ended, error=error)
    write(db, BY_CRON)


def seen(db: Database, now: datetime, **environ: str) -> Verdict:
    with db.transaction(LOOK) as conn:
        return health.assess(conn, load(environ, dotenv=None), now)


def record(db: Database, now: datetime, **environ: str) -> list[str]:
    """What changed, when it is looked at now."""
    verdict = seen(db, now, **environ)
    with db.transaction(CONTROL) as conn:
        changes = health.record_changes(conn, verdict, now)
    return [f"{c.indicator} {c.from_status} {c.to_status} {c.value}" for c in changes]


def test_only_what_changed_is_kept_and_tells_since_when(db: Database) -> None:
    with db.transaction(CONTROL) as conn:
        freshness.record_arrivals(conn, NOW)
    a_run(db, "COMPLETED", NOW - timedelta(minutes=5), NOW - timedelta(minutes=4))
    first = record(db, NOW)
    assert first == [
        "satisfactory None UNKNOWN None", "conflicts None OK 0", "last_run None OK COMPLETED",
        "scheduler None OK 2026-03-02T14:55:00+00:00", "sources None UNKNOWN None",
        "overall None UNKNOWN satisfactory",
    ]  # fmt: skip
    assert record(db, NOW + timedelta(minutes=1)) == []
    late = NOW + timedelta(hours=4, minutes=20)
    assert record(db, late) == [
        "last_run OK WARN COMPLETED", "scheduler OK WARN 2026-03-02T14:55:00+00:00",
    ]  # fmt: skip
    a_run(db, "FAILED", late, late)
    assert record(db, late + timedelta(minutes=1)) == [
        "last_run WARN FAIL FAILED",
        f"scheduler WARN OK {late.isoformat()}",
        "overall UNKNOWN FAIL last_run",
    ]
    verdict = seen(db, late + timedelta(minutes=3))
    by_name = {r.indicator: r for r in verdict.told}
    assert by_name["scheduler"].since == late + timedelta(minutes=1)
    assert by_name["last_run"].since == late  # the run itself knows it
    with db.transaction(LOOK) as conn:
        newest = health.list_changes(conn, limit=1)
    assert newest == [
        Change("overall", "UNKNOWN", "FAIL", late + timedelta(minutes=1), "last_run", None)
    ]
    broken = [c.name for c in invariants.verify(db, is_full=True) if not c.holds]
    assert "health_changes_follow_each_other" not in broken
    assert "audit_is_append_only" not in broken
    with pytest.raises(DatabaseError, match="append-only"):
        write(db, "delete from scout.health_changes")


def test_state_that_was_seen_to_begin_is_told_to_the_minute(db: Database) -> None:
    """The daily numbers know only the day; they count where nothing else is known."""
    with_many = {"SCOUT_HEALTH_CONFLICTS_WARN": "0", "SCOUT_HEALTH_CONFLICTS_FAIL": "5"}
    midnight = datetime(2026, 3, 2, 5, tzinfo=UTC)

    def since(minutes: int, **environ: str) -> datetime | None:
        return seen(db, NOW + timedelta(minutes=minutes), **environ).reasons[1].since

    assert since(0) == midnight
    record(db, NOW)
    assert since(1) == midnight  # it was so when it was looked at first: since when, nobody saw
    assert since(1, **with_many) == NOW  # not before it was seen to be otherwise
    record(db, NOW + timedelta(minutes=2), **with_many)
    assert since(3, **with_many) == NOW + timedelta(minutes=2)


def test_two_who_see_a_change_at_once_keep_it_once(db: Database) -> None:
    record(db, NOW)
    a_run(db, "FAILED", NOW, NOW)
    verdict = seen(db, NOW)
    answers: list[tuple[Change, ...]] = []

    def other() -> None:
        with db.transaction(CONTROL) as conn:
            answers.append(health.record_changes(conn, verdict, NOW))

    with db.transaction(CONTROL) as conn:
        mine = health.record_changes(conn, verdict, NOW)
        thread = threading.Thread(target=other)
        thread.start()
        give_up = time.monotonic() + 10
        waiting = "select count(*) from pg_locks where not granted"
        while not value(db, waiting) and time.monotonic() < give_up:
            time.sleep(0.02)
        assert value(db, waiting) == 1
    thread.join()
    assert {c.indicator for c in mine} == {"last_run", "scheduler", "overall"}
    assert answers == [()]
    assert value(db, "select count(*) from scout.health_changes") == 9


def test_run_keeps_the_change_in_its_own_commit_or_not_at_all(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_run(db, "FAILED", datetime.now(UTC), datetime.now(UTC))
    record(db, datetime.now(UTC))
    kept = value(db, "select count(*) from scout.health_changes")

    def die(point: str) -> None:
        if point == "before commit":
            raise DatabaseError("a planted fault")

    with monkeypatch.context() as planted:
        planted.setattr(runner, "at", die)
        with pytest.raises(DatabaseError, match="planted"):
            refresh(db)
    assert value(db, "select count(*) from scout.health_changes") == kept
    result = refresh(db)
    changes = rows(
        db,
        "select indicator, from_status, to_status from scout.health_changes"
        " where run_id = :run_id order by id",
        run_id=result.run_id,
    )
    assert ("last_run", "FAIL", "OK") in [tuple(row) for row in changes]
    # what the run says of itself is what everybody says after it
    assert result.stats["steps"]["record"]["health"] == seen(db, datetime.now(UTC)).status


def test_numbers_of_a_run_that_is_about_to_end_are_those_that_it_recorded(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        for scout in (7, None, None):
            person = new.person(conn)
            new.lead_event(conn, person=person, scout=scout)
    refresh(db)
    before = seen(db, datetime.now(UTC))
    assert before.reasons[0].value == 33.33
    run_id = value(db, "select max(run_id) from scout.runs")
    write(db, "delete from observational.lead_ledger")
    with db.transaction(LOOK) as conn:
        own = health.assess(conn, SETTINGS, datetime.now(UTC), completing=run_id)
    assert own.reasons[0].value == 33.33
    assert seen(db, datetime.now(UTC)).reasons[0].value == 0


@pytest.fixture
def verb(db: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Any]:
    """`health` on the test's database: exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", db.url)
    monkeypatch.setenv("SCOUT_HEALTH_POPULATION", "persons")
    write(
        db,
        "insert into canon.identity_registry (person_key, confidence_level)"
        " values (gen_random_uuid(), 'HIGH')",
        "insert into observational.lead_ledger (person_key, attributed_scout_id,"
        " attribution_score, confidence_level, decision_status)"
        " select person_key, 7, 1, 'high', 'assigned' from canon.identity_registry",
    )
    return lambda *args: cli.run(["health", *args])


def test_exit_codes_tell_a_missed_time_a_hanging_run_and_a_clock_that_was_set(
    db: Database, verb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)

    def codes() -> tuple[int, int, int]:
        told = (verb(), verb("--light", "scheduler"), verb("--light", "last_run"))
        capsys.readouterr()
        return told

    def move(minutes: int) -> None:
        write(
            db,
            "update ops.ingestion_runs set completed_at = :at,"
            " started_at = cast(:at as timestamptz) - interval '1 min' where status <> 'RUNNING'",
            at=now - timedelta(minutes=minutes),
        )

    assert codes() == (3, 3, 3)
    a_run(db, "COMPLETED", now, now)
    assert codes() == (0, 0, 0)
    move(262)
    assert codes() == (1, 1, 1)
    # somebody runs it by hand: all is well until it is late again, and the light goes on to tell
    write(db, RUN.format(status="COMPLETED"), started=now, ended=now, error=None)
    write(db, BY_CRON.replace("'cron', 'cron'", "'manual', 'olga'"))
    assert codes() == (0, 1, 0)
    verb()
    assert "Beside: scheduler WARN" in capsys.readouterr().out.splitlines()[0]
    a_run(db, "RUNNING", now - timedelta(minutes=62), None)
    work = lock.take(db, "refresh")
    assert codes() == (1, 0, 1)
    work.rollback()
    # nobody works on it any more
    assert codes() == (2, 0, 2)
    write(db, "delete from ops.ingestion_runs where status = 'RUNNING'")
    move(-60)
    assert codes()[0] == 3


def test_history_is_listed_by_the_verb(
    db: Database, verb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verb("--history") == 3
    assert "No state was recorded yet" in capsys.readouterr().out
    refresh(db)
    assert verb("--history", "2", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [c["indicator"] for c in told["history"]] == ["overall", "sources"]
    assert [light["indicator"] for light in told["lights"]] == ["scheduler", "last_run", "sources"]
