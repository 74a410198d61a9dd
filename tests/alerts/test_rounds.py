"""The whole circle: what is wrong is looked at, is an alert, is told, and is gone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from scout_core.alerts import rounds
from scout_core.db.database import Database
from scout_core.errors import GuardStopped
from scout_core.health import source_checks
from tests.support import factories as new
from tests.support import job
from tests.support.job import do, refresh, rows, writing
from tests.support.receiver import Receiver, receiving
from tests.support.telling import told

ALERTS = "select rule, subject, status, opened_run from scout.alerts order by alert_id"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def now() -> datetime:
    return datetime.now(UTC)


def test_run_opens_alerts_and_tells_of_them_in_its_commit(
    db: Database, db_url: str, receiver: Receiver
):
    with writing(db_url) as conn:
        ana = new.person(conn)
        new.lead_event(conn, person=ana, scout=7)
        new.lead_event(conn, person=ana, scout=8)
    run = refresh(db, environ={"SCOUT_NOTIFY_URLS": receiver.url})
    assert ("NEW_CONFLICT", str(ana), "OPEN", run.run_id) in rows(db_url, ALERTS)
    assert rows(db_url, "select run_id, opened ->> 'NEW_CONFLICT' from scout.outbox") == [
        (run.run_id, "1")
    ]
    assert receiver.got == []
    rounds.after_run(db, told(receiver.url), now(), run.run_id)
    assert str(ana) in receiver.got[0]["message"]


def test_run_that_fails_is_told_of_at_once_and_its_alert_goes_with_the_next_that_does_not(
    db: Database, db_url: str, receiver: Receiver
):
    refresh(db)
    with writing(db_url) as conn:
        for _ in range(2):
            new.lead_event(conn, person=new.person(conn), scout=7)
    given = {"SCOUT_NOTIFY_URLS": receiver.url, "SCOUT_GUARD_MAX_ROWS": "1"}
    with pytest.raises(GuardStopped) as stopped:
        refresh(db, environ=given)
    standing = [row[:3] for row in rows(db_url, ALERTS)]
    assert ("GUARD_STOPPED", "scout_attribution_refresh", "OPEN") in standing
    assert "JOB_FAILED" not in [rule for rule, _, _ in standing]
    (got,) = receiver.got
    assert f"{stopped.value.run_id}" in got["message"]
    assert "guard" in got["message"]
    refresh(db, environ=given, force=True, reason="both were looked at")
    assert ("GUARD_STOPPED", "scout_attribution_refresh", "RESOLVED") in [
        row[:3] for row in rows(db_url, ALERTS)
    ]


def test_round_notices_a_job_that_stays_away_and_keeps_when(
    db: Database, db_url: str, receiver: Receiver
):
    refresh(db, trigger="cron")
    late = now() + timedelta(hours=5)
    news = rounds.make_round(db, told(receiver.url), late)
    assert news is not None
    assert news.opened["JOB_LATE"] == 1
    changes = (
        "select indicator, from_status, to_status, changed_at from scout.health_changes"
        " where indicator in ('scheduler', 'last_run') and run_id is null order by indicator"
    )
    assert rows(db_url, changes) == [
        ("last_run", "OK", "WARN", late),
        ("scheduler", "OK", "WARN", late),
    ]
    (got,) = receiver.got
    assert "La corrida está atrasada: 1" in got["message"]
    again = rounds.make_round(db, told(receiver.url), late + timedelta(minutes=1))
    assert again is not None
    assert again.is_empty
    assert len(receiver.got) == 1


def test_what_a_check_of_the_sources_finds_is_an_alert_until_it_is_mended(
    db: Database, db_url: str, receiver: Receiver
):
    with writing(db_url) as conn:
        ana, _ = (new.person(conn, phone="999111222") for _ in range(2))
        new.person(conn, phone="999333444")
    run = refresh(db)
    rounds.after_run(db, told(receiver.url), now(), run.run_id)
    shared = ("QUALITY_SHARED_PHONES", "shared_phones")
    assert (*shared, "OPEN", None) in rows(db_url, ALERTS)
    assert "Teléfonos compartidos: 1" in receiver.got[0]["message"]
    do(
        db_url,
        "update canon.identity_registry set primary_phone = '999555666'"
        f" where person_key = '{ana}'",
    )
    source_checks.run_checks(db, job.settings(), now(), actor=job.OPERATOR, check="shared_phones")
    rounds.make_round(db, told(receiver.url), now())
    assert (*shared, "RESOLVED", None) in rows(db_url, ALERTS)


def test_round_beside_another_leaves_it_to_that(db: Database, db_url: str):
    refresh(db)
    with writing(db_url) as conn:
        keys = conn.exec_driver_sql("select pg_advisory_xact_lock(5036417, 2001)")
        assert keys is not None
        assert rounds.make_round(db, job.settings(), now()) is None
    assert rounds.make_round(db, job.settings(), now()) is not None
