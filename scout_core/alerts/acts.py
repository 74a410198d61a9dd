"""What people do to an alert: acknowledge it, mute it for a while, end the mute, with a reason.

None of it makes an alert go: it stands until what it tells of is gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from scout_core.access import permissions
from scout_core.access.note import checked_note
from scout_core.access.permissions import Actor
from scout_core.alerts import register
from scout_core.alerts.register import Alert
from scout_core.db import sql
from scout_core.db.database import DECIDE, Database
from scout_core.errors import BadInput, ChangedMeanwhile, KeyReused

Act = Literal["ACKNOWLEDGED", "MUTED", "UNMUTED"]

# a mute is for a while: what may wait longer is no alert
MUTE_MAX = timedelta(days=90)


@dataclass(frozen=True)
class Acted:
    """What somebody did to an alert, and what it is since."""

    alert_id: int
    rule: str
    subject: str
    event: str
    status: str
    actor: str
    reason: str
    muted_until: datetime | None
    at: datetime


@dataclass(frozen=True)
class ManyActed:
    """Several alerts done at once. skipped: alert -> why not."""

    done: tuple[Acted, ...]
    skipped: Mapping[int, str]


def ack(
    db: Database,
    *,
    actor: Actor,
    alert_id: int,
    reason: str,
    now: datetime,
    request_id: str | None = None,
) -> Acted:
    """Say that somebody is at it: it still stands, and is open again when it gets worse.

    PermissionDenied by role, BadInput for a reason that cannot be, NotFound, ChangedMeanwhile when
    it is not open: acknowledged or muted by somebody before, or gone.
    """
    return _one(db, actor, alert_id, _Doing("ACKNOWLEDGED", reason, None, now, request_id))


def mute(
    db: Database,
    *,
    actor: Actor,
    alert_id: int,
    until: datetime,
    reason: str,
    now: datetime,
    request_id: str | None = None,
) -> Acted:
    """Tell nobody of it until then, at most 90 days ahead; it still stands, and is open after it.

    PermissionDenied by role, BadInput for a time or reason that cannot be, NotFound,
    ChangedMeanwhile when it is muted already, or gone.
    """
    return _one(db, actor, alert_id, _Doing("MUTED", reason, until, now, request_id))


def unmute(
    db: Database,
    *,
    actor: Actor,
    alert_id: int,
    reason: str,
    now: datetime,
    request_id: str | None = None,
) -> Acted:
    """End a mute: the alert is open at once. Errors as of `mute`; ChangedMeanwhile when it is not
    muted."""
    return _one(db, actor, alert_id, _Doing("UNMUTED", reason, None, now, request_id))


def ack_many(
    db: Database,
    *,
    actor: Actor,
    alert_ids: Sequence[int],
    reason: str,
    now: datetime,
    request_id: str | None = None,
) -> ManyActed:
    """Acknowledge several, at most 1,000; those that cannot be are told, not an error."""
    return _many(db, actor, alert_ids, _Doing("ACKNOWLEDGED", reason, None, now, request_id))


def mute_many(
    db: Database,
    *,
    actor: Actor,
    alert_ids: Sequence[int],
    until: datetime,
    reason: str,
    now: datetime,
    request_id: str | None = None,
) -> ManyActed:
    """Mute several, at most 1,000; those that cannot be are told, not an error."""
    return _many(db, actor, alert_ids, _Doing("MUTED", reason, until, now, request_id))


def checked_until(until: datetime, now: datetime) -> datetime:
    """The end of a mute. BadInput unless it is after now and at most 90 days ahead."""
    if until.tzinfo is None or not now < until <= now + MUTE_MAX:
        raise BadInput(
            "until must be a time with its zone, after now and at most "
            f"{MUTE_MAX.days} days ahead: mute it again then when it still may wait.",
            parameter="until",
            allowed=f"a time with its zone, after now and at most {MUTE_MAX.days} days ahead",
        )
    return until


@dataclass(frozen=True)
class _Doing:
    event: Act
    reason: str
    until: datetime | None
    now: datetime
    request_id: str | None


def _one(db: Database, actor: Actor, alert_id: int, doing: _Doing) -> Acted:
    permissions.require(actor, "mute")
    number = register.checked_id(alert_id)
    done, others = _act(db, actor, [number], doing)
    if done:
        return done[0]
    if number not in others:
        raise register.missing(number)
    raise ChangedMeanwhile(_why_not(others[number]), alert_id=number)


def _many(db: Database, actor: Actor, alert_ids: Sequence[int], doing: _Doing) -> ManyActed:
    permissions.require(actor, "mute")
    numbers = sorted({register.checked_id(number) for number in alert_ids})
    if not 1 <= len(numbers) <= register.MAX_ALERTS:
        raise BadInput(
            f"{len(numbers):,} alerts were given: give 1 to {register.MAX_ALERTS:,}.",
            parameter="alert_ids",
            allowed=f"1 to {register.MAX_ALERTS}",
        )
    done, others = _act(db, actor, numbers, doing)
    skipped = {
        number: _why_not(others[number]) if number in others else register.missing(number).message
        for number in numbers
        if number not in {d.alert_id for d in done}
    }
    return ManyActed(done, skipped)


def _act(
    db: Database, actor: Actor, alert_ids: list[int], doing: _Doing
) -> tuple[tuple[Acted, ...], dict[int, Alert]]:
    """What was done, and those alerts that it could not be done to."""
    reason = checked_note(doing.reason, "reason")
    if doing.until is not None:
        checked_until(doing.until, doing.now)
    with db.transaction(DECIDE) as conn:
        register.lock(conn)
        if doing.request_id is not None:
            query = sql.statement("alerts/acts/find_request")
            known = conn.execute(query, {"request_id": doing.request_id}).mappings().all()
            found = tuple(Acted(**row) for row in known)
            if any((act.actor, act.event) != (actor.name, doing.event) for act in found):
                raise KeyReused()
            if found:
                return found, {}
        rows = conn.execute(
            sql.statement("alerts/acts/act"),
            {
                "alert_ids": alert_ids,
                "event": doing.event,
                "muted_until": doing.until,
                "actor": actor.name,
                "reason": reason,
                "request_id": doing.request_id,
                "now": doing.now,
            },
        ).mappings()
        done = tuple(Acted(**row) for row in rows)
        left = [n for n in alert_ids if n not in {d.alert_id for d in done}]
        return done, register.by_ids(conn, left, doing.now) if left else {}


def _why_not(alert: Alert) -> str:
    what = f"Alert {alert.alert_id}"
    if alert.status == "RESOLVED":
        gone = f"{alert.resolved_at:%d %b %H:%M}"
        return f"{what} is resolved: what it told of is gone since {gone} UTC."
    if alert.status == "MUTED":
        return (
            f"{what} was muted by {alert.actor} until {alert.muted_until:%d %b %H:%M} UTC: unmute "
            "it first."
        )
    if alert.status == "ACKNOWLEDGED":
        return f"{what} was acknowledged by {alert.actor} at {alert.changed_at:%d %b %H:%M} UTC."
    return f"{what} is open and not muted."
