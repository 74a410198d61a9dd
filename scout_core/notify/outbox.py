"""The outbox: what is told outside, written in the commit of what it tells of and sent afterwards.

At least once to each channel: a sender takes a delivery by a lease, talks to the channel with no
transaction open, and marks it. One that is killed in between leaves a lease that runs out.
"""

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import Connection

from scout_core import logs
from scout_core.access import permissions
from scout_core.access.permissions import Actor
from scout_core.db import sql
from scout_core.db.database import CONTROL, Database
from scout_core.errors import ScoutError
from scout_core.health.conditions import News
from scout_core.notify import channels, message
from scout_core.notify.channels import Attempt, Channel, Talk
from scout_core.settings import Settings

State = Literal["PENDING", "SENT", "DEAD", "DROPPED"]

SEND_SECONDS = 10.0
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
# no pause and no lease is that long
BEYOND = timedelta(hours=2)
# beyond the end of an attempt: what marking it may take
LEASE_SLACK = timedelta(seconds=60)

_log = logs.get_logger("notify")


@dataclass(frozen=True)
class Told:
    """What a round of sending did: messages taken by a channel, attempts that failed, given up."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


@dataclass(frozen=True)
class Waiting:
    """Deliveries that wait, and dead letters. oldest_pending_at null = none waits."""

    pending_count: int
    dead_count: int
    oldest_pending_at: datetime | None


@dataclass(frozen=True)
class Delivery:
    """A message on its way to a channel. ended_at null = it is pending; last_outcome null = not
    tried yet."""

    delivery_id: int
    message_id: int
    channel: str
    state: State
    attempts: int
    last_outcome: str | None
    next_attempt_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Message:
    """A message and where it went. run_id null = noticed between two runs; counts by rule."""

    message_id: int
    run_id: int | None
    status: str
    opened: Mapping[str, int]
    reopened: Mapping[str, int]
    resolved: Mapping[str, int]
    created_at: datetime
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True)
class LoggedAttempt:
    """An attempt that ended. delivery_id and message_id null = a test, which actor asked for."""

    attempt_id: int
    delivery_id: int | None
    message_id: int | None
    channel: str
    is_ok: bool
    outcome: str
    http_status: int | None
    took_ms: int
    actor: str | None
    recorded_at: datetime


@dataclass(frozen=True)
class Tested:
    """What became of a test message on one channel."""

    channel: str
    kind: str
    outcome: str
    http_status: int | None
    took_ms: int

    @property
    def is_ok(self) -> bool:
        """Whether the channel has taken it."""
        return self.outcome == "SENT"


def enqueue(
    conn: Connection,
    *,
    run_id: int | None,
    news: News,
    status: str,
    now: datetime,
    settings: Settings,
) -> int | None:
    """Write the message of a run, or of a round between runs, in the caller's transaction.

    Returns its number; null when there is nothing to tell, no channel, or the run told already.
    status: health now.
    """
    known = channels.list_channels(settings)
    if news.is_empty or not known:
        return None
    values = {
        "run_id": run_id,
        "status": status,
        "opened": json.dumps(dict(news.opened)),
        "reopened": json.dumps(dict(news.reopened)),
        "resolved": json.dumps(dict(news.resolved)),
        "samples": json.dumps(message.safe_samples(news.samples)),
        "now": now,
        "channels": [channel.key for channel in known],
    }
    return conn.execute(sql.query("notify/outbox", "enqueue"), values).scalar_one_or_none()


def send_due(
    db: Database, settings: Settings, now: datetime, *, limit_seconds: float = SEND_SECONDS
) -> Told:
    """Send what is due, each channel beside the others, and stop after `limit_seconds`.

    A channel that is away, hangs or crashes costs its own messages an attempt, and nobody anything
    else; one that failed is left for the next time. Raises only what the database does.
    """
    return _Round(db, settings, now, limit_seconds).run()


def send_soon(
    db: Database, settings: Settings, now: datetime, *, limit_seconds: float = SEND_SECONDS
) -> Told:
    """`send_due` beside something that stands, whatever comes: the next sender goes on."""
    try:
        return send_due(db, settings, now, limit_seconds=limit_seconds)
    except ScoutError as exc:
        _log.warning("not sent, the next round does it", reason=exc.message)
        return Told()


def send_test(
    db: Database, settings: Settings, *, actor: Actor, now: datetime
) -> tuple[Tested, ...]:
    """Send a test message to each channel now, and say what became of it. Kept in the log."""
    permissions.require(actor, "notify")
    known = channels.list_channels(settings)
    if not known:
        return ()
    channels.load()
    title, body = message.render_test(settings, now)
    begun = time.monotonic()
    # one that still hangs from before is not talked to twice
    talks = {
        channel.key: _talk(settings, channel, title, body, "info")
        for channel in known
        if not Talk.is_hung(channel)
    }
    tested = []
    for channel in known:
        talk = talks.get(channel.key)
        left = settings.notify_timeout_seconds - (time.monotonic() - begun)
        attempt = None if talk is None else talk.ended(left)
        if attempt is None:
            attempt = Attempt("TIMEOUT")
            if talk is not None:
                talk.give_up()
        took = int((time.monotonic() - begun) * 1000)
        tested.append(Tested(channel.key, channel.kind, attempt.outcome, attempt.http_status, took))
    with db.transaction(CONTROL) as conn:
        for one in tested:
            conn.execute(
                sql.query("notify/outbox", "record_test"),
                {
                    "channel": one.channel,
                    "is_ok": one.is_ok,
                    "outcome": one.outcome,
                    "http_status": one.http_status,
                    "took_ms": one.took_ms,
                    "actor": actor.name,
                },
            )
    return tuple(tested)


def retry_dead(
    db: Database,
    settings: Settings,
    *,
    actor: Actor,
    now: datetime,
    delivery_id: int | None = None,
) -> int:
    """Make dead letters pending again, one or all; returns how many. PermissionDenied by role.

    Where the address of a channel was corrected, the one of its kind takes over what it missed.
    One whose channel is gone stays dead.
    """
    permissions.require(actor, "notify")
    known = [channel.key for channel in channels.list_channels(settings)]
    values = {"channels": known, "delivery_id": delivery_id, "now": now, "actor": actor.name}
    with db.transaction(CONTROL) as conn:
        return len(conn.execute(sql.query("notify/outbox", "retry"), values).all())


def drop_dead(db: Database, *, actor: Actor, now: datetime, delivery_id: int | None = None) -> int:
    """Let dead letters go for good, one or all; returns how many. PermissionDenied by role."""
    permissions.require(actor, "notify")
    values = {"delivery_id": delivery_id, "now": now, "actor": actor.name}
    with db.transaction(CONTROL) as conn:
        return len(conn.execute(sql.query("notify/outbox", "drop"), values).all())


def count_waiting(conn: Connection) -> Waiting:
    """How many deliveries wait, and how many are dead letters. Reads scout.deliveries."""
    return Waiting(**conn.execute(sql.query("notify/outbox", "count_waiting")).mappings().one())


def list_messages(conn: Connection, *, limit: int = 20) -> tuple[Message, ...]:
    """The newest messages with their deliveries, newest first."""
    query = sql.query("notify/outbox", "list_messages")
    found = list(conn.execute(query, {"row_limit": limit}).mappings())
    query = sql.query("notify/outbox", "list_deliveries")
    ids = {"message_ids": [row["message_id"] for row in found]}
    deliveries = [Delivery(**row) for row in conn.execute(query, ids).mappings()]
    return tuple(
        Message(
            **row,
            deliveries=tuple(d for d in deliveries if d.message_id == row["message_id"]),
        )
        for row in found
    )


def list_dead(conn: Connection, *, limit: int = 50) -> tuple[Delivery, ...]:
    """The dead letters, newest first."""
    rows = conn.execute(sql.query("notify/outbox", "list_dead"), {"row_limit": limit}).mappings()
    return tuple(Delivery(**row) for row in rows)


def list_attempts(conn: Connection, *, limit: int = 50) -> tuple[LoggedAttempt, ...]:
    """The newest attempts and tests, newest first. Reads scout.delivery_log."""
    rows = conn.execute(
        sql.query("notify/outbox", "list_attempts"), {"row_limit": limit}
    ).mappings()
    return tuple(LoggedAttempt(**row) for row in rows)


def pause_after(attempts: int, chance: float) -> timedelta:
    """How long to wait after that many attempts: doubled each time, up to an hour, and a fifth
    more or less by chance (0..1), so that many do not come back at once."""
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return pause * (0.8 + 0.4 * chance)


def at(point: str) -> None:
    """A named point of sending. Does nothing; tests put a kill here."""


@dataclass(frozen=True)
class _Sending:
    """A delivery in the hands of this sender. ends: when its time is up, by the monotonic clock."""

    talk: Talk
    claimed: Mapping[str, Any]
    lease_token: UUID
    begun: float
    ends: float


class _Round:
    """One round of sending: the database is spoken to from here alone, channels from threads."""

    def __init__(
        self, db: Database, settings: Settings, now: datetime, limit_seconds: float
    ) -> None:
        self._db = db
        self._settings = settings
        self._now = now
        self._begun = time.monotonic()
        self._limit = limit_seconds
        self._sending: dict[str, _Sending] = {}
        self._counts = {"sent": 0, "failed": 0, "dead": 0}

    def run(self) -> Told:
        known = channels.list_channels(self._settings)
        if self._look(known):
            channels.load()
            # what loading took is not taken from the channels
            self._ends = time.monotonic() + self._limit
            free = [channel for channel in known if not Talk.is_hung(channel)]
            while free or self._sending:
                for channel in free:
                    self._start(channel)
                free = self._finish()
        told = Told(**self._counts)
        if told.failed or told.dead:
            _log.warning("notifications", **self._counts)
        elif told.sent:
            _log.info("notifications", **self._counts)
        return told

    @property
    def _moment(self) -> datetime:
        return self._now + timedelta(seconds=time.monotonic() - self._begun)

    def _look(self, known: Sequence[Channel]) -> bool:
        """Give up what is beyond hope; whether anything is due."""
        values = {
            "channels": [channel.key for channel in known],
            "now": self._now,
            "latest": self._now + BEYOND,
            "max_attempts": self._settings.notify_max_attempts,
            "not_before": self._now - timedelta(hours=self._settings.notify_give_up_hours),
        }
        with self._db.transaction(CONTROL) as conn:
            self._counts["dead"] += len(
                conn.execute(sql.query("notify/outbox", "give_up"), values).all()
            )
            return bool(known) and bool(
                conn.execute(sql.query("notify/outbox", "has_due"), values).scalar_one()
            )

    def _start(self, channel: Channel) -> None:
        """Take the next delivery of a channel and begin to talk."""
        left = self._ends - time.monotonic()
        if left <= 0:
            return
        seconds = min(float(self._settings.notify_timeout_seconds), left)
        token = uuid4()
        values = {
            "channel": channel.key,
            "now": self._moment,
            "latest": self._moment + BEYOND,
            "lease_token": token,
            "leased_until": self._moment + timedelta(seconds=seconds) + LEASE_SLACK,
            "max_attempts": self._settings.notify_max_attempts,
        }
        with self._db.transaction(CONTROL) as conn:
            found = (
                conn.execute(sql.query("notify/outbox", "claim"), values).mappings().one_or_none()
            )
        if found is None:
            return
        row = dict(found)
        at("after claim")
        said = message.render(row, self._settings)
        begun = time.monotonic()
        talk = _talk(self._settings, channel, said.title, said.body, said.tone, seconds)
        self._sending[channel.key] = _Sending(talk, row, token, begun, begun + seconds)

    def _finish(self) -> list[Channel]:
        """Wait until one has ended or its time is up; the channels that can go on."""
        while self._sending:
            for key, sending in list(self._sending.items()):
                attempt = sending.talk.ended(0.02 if len(self._sending) > 1 else 0.2)
                if attempt is None and time.monotonic() >= sending.ends:
                    sending.talk.give_up()
                    attempt = Attempt("TIMEOUT")
                if attempt is not None:
                    del self._sending[key]
                    at("after send")
                    self._record(sending, attempt)
                    at("after mark")
                    return [sending.talk.channel] if attempt.is_ok else []
        return []

    def _record(self, sending: _Sending, attempt: Attempt) -> None:
        moment = self._moment
        claimed = sending.claimed
        give_up_at = claimed["pending_since"] + timedelta(hours=self._settings.notify_give_up_hours)
        is_over = claimed["attempts"] >= self._settings.notify_max_attempts or moment >= give_up_at
        state = "SENT" if attempt.is_ok else "DEAD" if is_over else "PENDING"
        chance = random.random()  # noqa: S311 - jitter, no secret
        values = {
            "delivery_id": claimed["delivery_id"],
            "lease_token": sending.lease_token,
            "channel": sending.talk.channel.key,
            "state": state,
            "is_ok": attempt.is_ok,
            "outcome": attempt.outcome,
            "http_status": attempt.http_status,
            "took_ms": int((time.monotonic() - sending.begun) * 1000),
            "now": moment,
            "next_attempt_at": moment + pause_after(claimed["attempts"], chance),
        }
        with self._db.transaction(CONTROL) as conn:
            conn.execute(sql.query("notify/outbox", "record_attempt"), values)
        self._counts["sent" if attempt.is_ok else "failed"] += 1
        self._counts["dead"] += state == "DEAD"
        if not attempt.is_ok:
            _log.warning(
                "not delivered",
                channel=sending.talk.channel.key,
                message_id=claimed["message_id"],
                outcome=attempt.outcome,
                http_status=attempt.http_status,
                attempt=claimed["attempts"],
                state=state,
            )


def _talk(
    settings: Settings,
    channel: Channel,
    title: str,
    body: str,
    tone: channels.Tone,
    seconds: float | None = None,
) -> Talk:
    limit = float(settings.notify_timeout_seconds) if seconds is None else seconds

    def work() -> Attempt:
        return channels.send(
            channel, title, body, tone, timeout_seconds=limit, app_url=settings.public_url
        )

    return Talk(channel, work)
