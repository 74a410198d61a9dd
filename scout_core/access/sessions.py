"""Sessions of people who signed in to the pages: the last sign-in of each, and whose have ended.

A session is a signed cookie that the browser keeps: who, which role, since when. It opens nothing
any more when it is older than SCOUT_SESSION_HOURS, or when its subject has an end that is not older
than its beginning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from scout_core import logs
from scout_core.access import permissions
from scout_core.access.permissions import Actor, Role
from scout_core.db import sql
from scout_core.db.database import CONTROL, Database
from scout_core.errors import NotFound
from scout_core.settings import MAX_SESSION_HOURS

Reason = Literal["SIGNED_OUT", "ROLE_CHANGED", "PROVIDER", "ADMIN"]

_log = logs.get_logger("access")


@dataclass(frozen=True)
class SignIn:
    """The last sign-in of a subject. ended_at: since when its sessions open nothing; null = they
    may still be open. Times in UTC."""

    subject: str
    actor: str
    role: Role
    signed_in_at: datetime
    ended_at: datetime | None
    reason: Reason | None


def begin(db: Database, subject: str, actor: Actor) -> datetime:
    """Keep that somebody signed in; the time from which the new session counts. A role other than
    last time ends the older sessions."""
    values = {"subject": subject, "actor": actor.name, "role": actor.role}
    with db.transaction(CONTROL) as conn:
        conn.execute(sql.query("access/sessions", "enter"), values)
        last_role = conn.execute(sql.query("access/sessions", "lock"), values).scalar_one()
        if last_role != actor.role:
            _end(conn, subject, "ROLE_CHANGED", actor.name)
        began: datetime = conn.execute(sql.query("access/sessions", "record"), values).scalar_one()
        _forget(conn)
    return began


def end(
    db: Database,
    subject: str,
    *,
    reason: Reason,
    actor: str,
    at: datetime | None = None,
) -> None:
    """End every session of a subject that began up to then; null = up to now."""
    with db.transaction(CONTROL) as conn:
        _end(conn, subject, reason, actor, at)
        _forget(conn)


def end_of_person(db: Database, *, actor: Actor, whom: str) -> tuple[str, ...]:
    """End the sessions of a person, by subject or by the name under which they act: the names of
    those whose sessions ended. NotFound when nobody signed in so; PermissionDenied by role."""
    permissions.require(actor, "sessions")
    with db.transaction(CONTROL) as conn:
        found = conn.execute(sql.query("access/sessions", "find_subjects"), {"whom": whom}).all()
        if not found:
            raise NotFound(
                "Nobody who signed in within the last 30 days has this name or subject: "
                "`session list` shows them."
            )
        for row in found:
            _end(conn, row.subject, "ADMIN", actor.name)
        _forget(conn)
    names = tuple(row.actor for row in found)
    for name in names:
        _log.info("sessions ended", actor=actor.name, role=actor.role, whose=name, reason="ADMIN")
    return names


def ends(conn: Connection) -> Mapping[str, datetime]:
    """When the sessions of each subject ended last."""
    rows = conn.execute(sql.query("access/sessions", "list_ends"))
    return {row.subject: row.ended_at for row in rows}


def list_sign_ins(conn: Connection, *, actor: Actor) -> tuple[SignIn, ...]:
    """Who signed in within the last 30 days, the newest first. PermissionDenied by role."""
    permissions.require(actor, "sessions")
    rows = conn.execute(sql.query("access/sessions", "list_sign_ins")).mappings()
    return tuple(SignIn(**row) for row in rows)


def _end(
    conn: Connection, subject: str, reason: Reason, actor: str, at: datetime | None = None
) -> None:
    values = {"subject": subject, "reason": reason, "actor": actor, "at": at}
    conn.execute(sql.query("access/sessions", "end_sessions"), values)


def _forget(conn: Connection) -> None:
    values = {"hours": MAX_SESSION_HOURS}
    conn.execute(sql.query("access/sessions", "forget_ends"), values)
    conn.execute(sql.query("access/sessions", "forget_sign_ins"), values)
