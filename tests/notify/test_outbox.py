"""Messages: written with what they tell of, sent at least once, whatever becomes of sender and
channel (I22, I23, C17)."""

import io
import logging
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from scout_core import logs
from scout_core.access.permissions import Actor
from scout_core.db.database import CONTROL, LOOK, Database
from scout_core.errors import SettingsError
from scout_core.health.conditions import News
from scout_core.notify import message, outbox
from scout_core.settings import describe
from tests.support import job
from tests.support.job import do, rows, value
from tests.support.receiver import SECRET, Receiver, receiving
from tests.support.telling import ANA, NEWS, NOW, told, write

OPERATOR = Actor("olga", "operator")
STATES = "select channel, state, attempts, last_outcome from scout.deliveries order by delivery_id"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_message_says_counts_keys_link_and_seal(db: Database, db_url: str, receiver: Receiver):
    settings = told(receiver.url, SCOUT_PUBLIC_URL="https://scouts.example.com/")
    run_id = job.refresh(db).run_id
    seal = value(db_url, "select seal_hash from scout.seals where run_id = :id", id=run_id)
    write(db, settings, run_id=run_id)
    assert outbox.send_due(db, settings, NOW) == outbox.Told(sent=1)
    (got,) = receiver.got
    assert got["title"] == "Scouts · Atención: 2 nuevas, 1 resuelta"
    assert got["type"] == "warning"
    assert got["message"].splitlines() == [
        f"Corrida {run_id} · 22/11/2026 08:00, hora de Lima",
        "",
        "Alertas nuevas",
        f"- Conflicto por decidir: 2 ({ANA}, …)",
        "",
        "Alertas resueltas",
        "- La corrida está atrasada: 1",
        "",
        f"La corrida: https://scouts.example.com/scouts/runs?run={run_id}",
        "Las alertas: https://scouts.example.com/scouts/alerts",
        f"Sello 1: {seal}",
    ]
    # told once: a run that asks again, and a round that sends again, add nothing
    assert write(db, settings, run_id=run_id) is None
    assert outbox.send_due(db, settings, NOW + timedelta(days=1)) == outbox.Told()
    assert len(receiver.got) == 1


def test_message_of_a_failure_says_which_run_and_why_in_english(
    db: Database, db_url: str, receiver: Receiver
):
    settings = told(receiver.url, SCOUT_NOTIFY_LANGUAGE="en")
    run_id = job.refresh(db).run_id
    do(
        db_url,
        "update ops.ingestion_runs set status = 'FAILED', completed_at = '2026-11-22 12:00Z',"
        f" error_message = 'no row for +51 999 888 777, licence Q41234567' where id = {run_id}",
    )
    write(db, settings, news=News(opened={"JOB_FAILED": 1}))
    outbox.send_due(db, settings, NOW)
    lines = receiver.got[0]["message"].splitlines()
    assert lines[0] == "Between two runs · 22/11/2026 08:00, Lima time"
    assert lines[1] == f"Run {run_id} failed: no row for +•••, licence •••"
    assert f"The run: http://localhost:3000/scouts/runs?run={run_id}&lang=en" in lines


def test_rolled_back_run_leaves_no_message(db: Database, db_url: str, receiver: Receiver):
    settings = told(receiver.url)
    conn = db.begin(CONTROL)
    args: dict[str, Any] = {"news": NEWS, "status": "OK", "now": NOW, "settings": settings}
    assert outbox.enqueue(conn.conn, run_id=7, **args) is not None
    conn.rollback()
    assert outbox.send_due(db, settings, NOW) == outbox.Told()
    assert rows(db_url, "select count(*) from scout.outbox") == [(0,)]
    assert receiver.asked == []


def test_nothing_is_written_without_news_or_channel(db: Database, db_url: str):
    assert write(db, told("json://localhost"), news=News()) is None
    assert write(db, told()) is None
    assert rows(db_url, "select count(*) from scout.outbox") == [(0,)]


@pytest.mark.parametrize("mood", ["down", "error", "hanging", "trickling", "elsewhere"])
def test_bad_channel_costs_its_own_message_an_attempt_and_the_good_one_nothing(
    db: Database, db_url: str, receiver: Receiver, mood: str
):
    with receiving() as bad:
        if mood != "down":
            bad.mood = mood  # type: ignore[assignment]
        url = bad.url if mood != "down" else f"json://127.0.0.1:1/{SECRET}"
        settings = told(url, receiver.url)
        write(db, settings)
        write(db, settings, news=News(opened={"JOB_LATE": 1}))
        begun = time.monotonic()
        done = outbox.send_due(db, settings, NOW, limit_seconds=3)
        assert time.monotonic() - begun < 15  # of which most is the first load of Apprise
        assert done == outbox.Told(sent=2, failed=1)
        assert len(receiver.got) == 2
        assert bad.got == []
        assert not any("stolen" in path for path in bad.asked)
        outcome = {
            "down": ("NO_ANSWER", None),
            "error": ("HTTP_ERROR", 500),
            "hanging": ("NO_ANSWER", None),
            "trickling": ("TIMEOUT", None),
            "elsewhere": ("HTTP_ERROR", 307),
        }[mood]
        log = rows(db_url, "select outcome, http_status from scout.delivery_log where not is_ok")
        assert log == [outcome]
        waits = rows(
            db_url, "select next_attempt_at - :now from scout.deliveries where attempts = 1"
            " and state = 'PENDING'", now=NOW
        )  # fmt: skip
        assert timedelta(seconds=20) < waits[0][0] < timedelta(seconds=45)
        # not before its time, then again, and in order
        assert outbox.send_due(db, settings, NOW + timedelta(seconds=10)).sent == 0
        bad.released.set()
        bad.mood = "up"
        if mood != "down":
            time.sleep(0.3)
            assert outbox.send_due(db, settings, NOW + timedelta(minutes=5)).sent == 2
            assert len(bad.got) == 2


def test_given_up_after_its_attempts_until_somebody_retries(
    db: Database, db_url: str, receiver: Receiver
):
    settings = told(receiver.url, SCOUT_NOTIFY_MAX_ATTEMPTS="2")
    receiver.mood = "error"
    write(db, settings)
    assert outbox.send_due(db, settings, NOW) == outbox.Told(failed=1)
    later = NOW + timedelta(hours=1)
    assert outbox.send_due(db, settings, later) == outbox.Told(failed=1, dead=1)
    receiver.mood = "up"
    assert outbox.send_due(db, settings, later + timedelta(hours=2)) == outbox.Told()
    with db.transaction(LOOK) as conn:
        assert outbox.count_waiting(conn) == outbox.Waiting(0, 1, None)
        (dead,) = outbox.list_dead(conn)
    assert (dead.state, dead.attempts, dead.last_outcome) == ("DEAD", 2, "HTTP_ERROR")
    assert outbox.retry_dead(db, settings, actor=OPERATOR, now=later) == 1
    assert outbox.send_due(db, settings, later) == outbox.Told(sent=1)
    assert len(receiver.got) == 1


def test_given_up_after_its_hours_but_never_before_an_attempt(
    db: Database, db_url: str, receiver: Receiver
):
    """A machine that was off for days tells all the same."""
    settings = told(receiver.url)
    write(db, settings)
    write(db, settings)
    days_later = NOW + timedelta(days=3)
    receiver.mood = "error"
    assert outbox.send_due(db, settings, days_later) == outbox.Told(failed=1, dead=1)
    receiver.mood = "up"
    assert outbox.send_due(db, settings, days_later) == outbox.Told(sent=1)


def test_corrected_address_takes_over_what_the_old_one_missed(
    db: Database, db_url: str, receiver: Receiver
):
    old, new = told(f"json://127.0.0.1:1/{SECRET}"), told(receiver.url)
    write(db, old)
    write(db, old)
    soon = NOW + timedelta(hours=1)
    assert outbox.send_due(db, new, soon) == outbox.Told()
    late = NOW + timedelta(hours=25)
    assert outbox.send_due(db, new, late) == outbox.Told(dead=2)
    assert {row[3] for row in rows(db_url, STATES)} == {"CHANNEL_GONE"}
    dead = value(db_url, "select min(delivery_id) from scout.deliveries")
    assert outbox.drop_dead(db, actor=OPERATOR, now=late, delivery_id=dead) == 1
    assert outbox.retry_dead(db, new, actor=OPERATOR, now=late) == 1
    assert outbox.send_due(db, new, late) == outbox.Told(sent=1)
    assert sorted(row[1] for row in rows(db_url, STATES)) == ["DROPPED", "SENT"]


def test_claimed_delivery_is_nobody_elses_until_its_lease_runs_out(
    db: Database, db_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    settings = told(receiver.url)
    write(db, settings)
    inner: list[outbox.Told] = []

    def at(point: str) -> None:
        monkeypatch.setattr(outbox, "at", lambda _: None)
        assert point == "after claim"
        inner.append(outbox.send_due(db, settings, NOW))
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox, "at", at)
    with pytest.raises(KeyboardInterrupt):
        outbox.send_due(db, settings, NOW)
    assert inner == [outbox.Told()]
    assert outbox.send_due(db, settings, NOW + timedelta(seconds=50)) == outbox.Told()
    assert outbox.send_due(db, settings, NOW + timedelta(seconds=90)) == outbox.Told(sent=1)
    assert len(receiver.got) == 1


def test_sender_holds_no_transaction_while_it_talks(
    db: Database, db_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    settings = told(receiver.url)
    write(db, settings)
    open_ones: list[int] = []
    real = receiver.answer

    def answer(request: Any) -> None:
        query = (
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and state <> 'idle'"
        )
        open_ones.append(value(db_url, query))
        real(request)

    monkeypatch.setattr(receiver, "answer", answer)
    outbox.send_due(db, settings, NOW)
    assert open_ones == [0]


def test_no_phone_licence_or_name_is_a_sample():
    good = (
        ANA,
        "public.module_ct_scouting_daily/123456",
        "public.module_ct_scouting_daily/0123456789abcdef0123456789abcdef",
        "observational.lead_events/00000000-0000-4000-8000-999888777666",
        "conflicts",
    )
    bad = (
        "999888777",
        "+51999888777",
        "drivers/51999888777",
        "row/Q41234567",
        "Q41234567",
        "María Quispe",
        "ana@example.com",
        "",
    )
    assert [s for s in (*good, *bad) if message.is_key(s)] == list(good)
    assert message.safe_samples({"A": bad, "B": good}) == {"B": list(good[:3])}


def test_address_of_a_channel_is_nowhere(
    db: Database, db_url: str, receiver: Receiver, capfd: pytest.CaptureFixture[str]
):
    """Not in tables, logs of any level and library, settings, or what is said of a failure."""
    settings = told(
        receiver.url,
        f"json://ana:{SECRET}@127.0.0.1:1/{SECRET}?retry=3&rto=60&redirect=yes",
        f"slack://{SECRET}",
        f"nosuch://{SECRET}",
    )
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logs.configure("DEBUG")
    try:
        receiver.mood = "error"
        write(db, settings)
        outbox.send_due(db, settings, NOW)
        outbox.send_test(db, settings, actor=OPERATOR, now=NOW)
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    tables = [
        str(rows(db_url, f"select t::text from scout.{table} as t"))
        for table in ("outbox", "deliveries", "delivery_log")
    ]
    said = capfd.readouterr()
    everything = [*tables, said.out, said.err, lines.getvalue(), repr(settings)]
    everything += [str(row) for row in describe(settings)]
    assert "BAD_ADDRESS" in tables[1]
    assert '"outcome": "HTTP_ERROR"' in said.err
    assert [text for text in everything if SECRET in text or "127.0.0.1" in text] == []


@pytest.mark.parametrize(
    "given", [SECRET, f"slack://a/b, {SECRET}", f"syslog://{SECRET}", f"file:///{SECRET}"]
)
def test_address_that_is_none_is_refused_without_repeating_it(given: str):
    with pytest.raises(SettingsError) as caught:
        job.settings(SCOUT_NOTIFY_URLS=given)
    assert "SCOUT_NOTIFY_URLS (environment)" in caught.value.message
    assert SECRET not in caught.value.message


def test_comma_within_an_address_stays_in_it():
    from scout_core.notify.channels import list_channels

    given = "mailtos://u:p@example.com?to=a@example.com,b@example.com,\nslack://a/b/c"
    assert [c.kind for c in list_channels(job.settings(SCOUT_NOTIFY_URLS=given))] == [
        "mailtos",
        "slack",
    ]


def test_apprise_is_not_loaded_before_something_is_due(db: Database):
    """It takes seconds, and memory of the server."""
    code = (
        "import sys; from datetime import UTC, datetime; from scout_core import cli;"
        "from scout_core.notify import outbox;"
        "from scout_core.db.database import Database; from tests.support.job import settings;"
        f"db = Database({db.url!r});"
        "outbox.send_due(db, settings(SCOUT_NOTIFY_URLS='json://localhost'), datetime.now(UTC));"
        "sys.exit('apprise' in sys.modules)"
    )
    import subprocess

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_clock_that_was_wrong_holds_nothing_back(db: Database, db_url: str, receiver: Receiver):
    settings = told(receiver.url)
    write(db, settings)
    receiver.mood = "error"
    assert outbox.send_due(db, settings, NOW + timedelta(hours=23)).failed == 1
    assert outbox.send_due(db, settings, NOW + timedelta(hours=22)).failed == 0
    receiver.mood = "up"
    assert outbox.send_due(db, settings, NOW) == outbox.Told(sent=1)


def test_pause_doubles_up_to_an_hour():
    assert [outbox.pause_after(n, 0.5) for n in (1, 2, 3, 9, 99)] == [
        timedelta(seconds=30),
        timedelta(minutes=1),
        timedelta(minutes=2),
        timedelta(hours=1),
        timedelta(hours=1),
    ]
