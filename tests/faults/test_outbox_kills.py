"""Senders that are killed: nothing is lost, nothing is told of what was rolled back, and told twice
is only what was on its way when its sender died (I22)."""

import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from scout_core.db.database import CONTROL, Database
from scout_core.health.conditions import News
from scout_core.notify import outbox
from tests.support import job
from tests.support.job import rows, value
from tests.support.receiver import receiving
from tests.support.senders import Senders

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
POINTS = ("after claim", "after send", "after mark")
ROLLED_BACK = 1_000_000
PER_KILL = 2


@pytest.fixture(scope="module")
def senders() -> Iterator[Senders]:
    found = Senders()
    yield found
    found.close()


def write(db: Database, environ: dict[str, str], run_id: int, *, now: datetime) -> None:
    """The message of a run; of one that is rolled back when its number says so."""
    transaction = db.begin(CONTROL)
    outbox.enqueue(
        transaction.conn,
        run_id=run_id,
        news=News(opened={"NEW_CONFLICT": 1}),
        status="OK",
        now=now,
        settings=job.settings(**environ),
    )
    if run_id > ROLLED_BACK:
        transaction.rollback()
    else:
        transaction.commit()


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(10, id="few"),
        pytest.param(200, id="many", marks=[pytest.mark.long, pytest.mark.timeout(1800)]),
    ],
)
def test_killed_senders_lose_nothing_and_double_only_what_was_on_its_way(
    db: Database, db_url: str, senders: Senders, kills: int
):
    chance = random.Random(kills)
    with receiving() as one, receiving() as other:
        environ = {
            "SCOUT_NOTIFY_URLS": f"{one.url}, {other.url}",
            "SCOUT_NOTIFY_MAX_ATTEMPTS": "100",
            "SCOUT_NOTIFY_GIVE_UP_HOURS": "8760",
        }
        moment, run_id, struck = NOW, 0, 0
        for n in range(kills):
            moment += timedelta(minutes=5)  # what the killed sender had in hand is free again
            for _ in range(PER_KILL):
                run_id += 1
                write(db, environ, run_id, now=moment)
            write(db, environ, ROLLED_BACK + run_id, now=moment)
            point = (None, *POINTS)[n % 4]
            pid = senders.start(db_url, moment, kill_at=point, environ=environ)
            if point is None:
                # a healthy one needs some 150 ms from here
                time.sleep(chance.uniform(0.02, 0.15))
                os.kill(pid, signal.SIGKILL)
            struck += senders.ends(pid) == -signal.SIGKILL
        assert struck >= kills * 0.75
        moment += timedelta(hours=1)
        told = outbox.Told(sent=1)
        while told.sent:
            told = outbox.send_due(db, job.settings(**environ), moment)
            assert told.failed == told.dead == 0
        run_ids = [
            Counter(int(re.search(r"Corrida (\d+)", m["message"])[1]) for m in got)
            for got in (one.got, other.got)
        ]
    assert [set(taken) for taken in run_ids] == [set(range(1, run_id + 1))] * 2
    assert rows(db_url, "select distinct state from scout.deliveries") == [("SENT",)]
    # an attempt that was begun and never ended died with its sender
    died = value(
        db_url,
        "select sum(attempts) - (select count(*) from scout.delivery_log) from scout.deliveries",
    )
    doubled = sum(count - 1 for taken in run_ids for count in taken.values())
    assert doubled <= died <= 2 * kills
    logged = value(db_url, "select count(*) from scout.delivery_log where is_ok")
    assert logged == 2 * run_id


def test_senders_at_once_send_each_message_once(db: Database, db_url: str, senders: Senders):
    with receiving() as receiver:
        environ = {"SCOUT_NOTIFY_URLS": receiver.url}
        for run_id in range(1, 31):
            write(db, environ, run_id, now=NOW)
        pids = [senders.start(db_url, NOW, environ=environ) for _ in range(3)]
        assert [senders.ends(pid) for pid in pids] == [0, 0, 0]
        assert len(receiver.got) == 30
