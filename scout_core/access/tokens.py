"""Tokens of the API: made by an admin, shown once, kept as a hash, for a role or some of its
actions, until they expire or are revoked.

scout_<16 hex: which token>_<43 letters: the secret, 256 random bits>
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from sqlalchemy import Connection

from scout_core.access import permissions
from scout_core.access.note import without_personal
from scout_core.access.permissions import MAY, Action, Actor, Role
from scout_core.db import sql
from scout_core.db.database import CONTROL, Database
from scout_core.db.driver_errors import sqlstate
from scout_core.errors import BadInput, DatabaseError, NotFound

USE_SECONDS = 60
MAX_DAYS = 3650
_FORM = re.compile(r"scout_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}")


@dataclass(frozen=True)
class Token:
    """A token as it may be shown. actions null = all of its role. Times in UTC."""

    token_id: str
    name: str
    role: Role
    actions: tuple[Action, ...] | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class NewToken:
    """A token that was made: `token` is told now and never again."""

    token_id: str
    name: str
    role: Role
    actions: tuple[Action, ...] | None
    expires_at: datetime
    token: str


@dataclass(frozen=True)
class Known:
    """Who a token is, and whether its use is to be noted."""

    token_id: str
    actor: Actor
    is_use_due: bool


def create(
    db: Database,
    *,
    actor: Actor,
    name: str,
    role: Role,
    actions: Collection[Action] = (),
    days: int = 90,
    now: datetime,
) -> NewToken:
    """Make a token. BadInput for a name that is taken, an action that its role has not, or a time
    that is none; PermissionDenied by role."""
    permissions.require(actor, "tokens")
    _check(name, role, actions, days)
    token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    chosen = tuple(sorted(set(actions))) or None
    expires_at = now + timedelta(days=days)
    values = {
        "token_id": token_id,
        "name": name,
        "role": role,
        "actions": None if chosen is None else list(chosen),
        "secret_hash": _hash(secret),
        "created_by": actor.name,
        "expires_at": expires_at,
    }
    try:
        with db.transaction(CONTROL) as conn:
            conn.execute(sql.query("access/tokens", "create"), values)
    except DatabaseError as exc:
        if sqlstate(exc) != "23505":
            raise
        raise BadInput(
            f"There is a token of the name {name} already: revoke it or take another name.",
            parameter="name",
            allowed="a name that no other token has",
        ) from exc
    return NewToken(token_id, name, role, chosen, expires_at, f"scout_{token_id}_{secret}")


def list_tokens(conn: Connection, *, actor: Actor) -> tuple[Token, ...]:
    """Every token there was, oldest first. PermissionDenied by role."""
    permissions.require(actor, "tokens")
    rows = conn.execute(sql.query("access/tokens", "list_tokens")).mappings()
    return tuple(Token(**{**row, "actions": _actions(row["actions"])}) for row in rows)


def revoke(db: Database, *, actor: Actor, token_id: str) -> None:
    """End a token at once. NotFound when there is none of this id in force."""
    permissions.require(actor, "tokens")
    with db.transaction(CONTROL) as conn:
        wanted = {"token_id": token_id, "actor": actor.name}
        if conn.execute(sql.query("access/tokens", "revoke"), wanted).one_or_none() is None:
            raise NotFound("No token in force has this id: `token list` shows them.")


def find(conn: Connection, presented: str, now: datetime) -> Known | None:
    """Who presents this token; null when it is unknown, expired or revoked. The secret is compared
    in constant time."""
    match = _FORM.fullmatch(presented)
    if match is None:
        return None
    wanted = {"token_id": match[1], "now": now}
    row = conn.execute(sql.query("access/tokens", "find"), wanted).one_or_none()
    expected = bytes(32) if row is None else bytes(row.secret_hash)
    if not hmac.compare_digest(_hash(match[2]), expected) or row is None:
        return None
    last = row.last_used_at
    return Known(
        token_id=row.token_id,
        actor=Actor(f"token {row.name}", row.role, _frozen(row.actions)),
        is_use_due=last is None or now - last > timedelta(seconds=USE_SECONDS),
    )


def record_use(db: Database, token_id: str, now: datetime) -> None:
    """Note that a token was used, unless that was noted within the last minute."""
    values = {
        "token_id": token_id,
        "now": now,
        "not_after": now - timedelta(seconds=USE_SECONDS),
    }
    with db.transaction(CONTROL) as conn:
        conn.execute(sql.query("access/tokens", "record_use"), values)


def _check(name: str, role: str, actions: Collection[str], days: int) -> None:
    if not _NAME.fullmatch(name):
        raise BadInput(
            "A name of a token has 1 to 60 letters, digits, blanks or . _ - and begins with a "
            "letter or digit.",
            parameter="name",
        )
    without_personal(name, "name")
    if role not in get_args(Role):
        raise BadInput(
            f"There is no such role: give one of {', '.join(get_args(Role))}.", parameter="role"
        )
    beyond = sorted(action for action in actions if role not in MAY.get(action, ()))  # type: ignore[call-overload]
    if beyond:
        raise BadInput(
            f"A {role} may not {', '.join(beyond)}: leave it out or give another role.",
            parameter="action",
        )
    if not 1 <= days <= MAX_DAYS:
        raise BadInput(f"A token lasts 1 to {MAX_DAYS:,} days.", parameter="days")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _actions(found: Any) -> tuple[Action, ...] | None:
    return None if found is None else tuple(found)


def _frozen(found: Any) -> frozenset[Action] | None:
    return None if found is None else frozenset(found)
