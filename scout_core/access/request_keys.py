"""Keys of requests of the API: whose request a key is, and what it was answered.

A key belongs to an actor, a route and a body for a week. The library knows the request by a
request id of its own, so that a key that is free again is another request.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from scout_core.access.permissions import Actor
from scout_core.db import sql
from scout_core.db.database import CONTROL, Database
from scout_core.errors import KeyReused

KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Claimed:
    """A request whose key is its own. answer null = not answered yet, or refused so far."""

    request_key: str
    request_hash: bytes
    request_id: str
    answer: str | None


def claim(db: Database, *, key: str, actor: Actor, request_hash: bytes, now: datetime) -> Claimed:
    """The request that this key belongs to, which is this one. KeyReused when it is another."""
    with db.transaction(CONTROL) as conn:
        given = {"request_key": key, "since": now - KEPT}
        _execute(conn, "forget_one", **given)
        # `@` is in no key, so this is no request id of anybody else
        _execute(
            conn,
            "claim",
            request_key=key,
            actor=actor.name,
            request_hash=request_hash,
            request_id=f"{key}@{now:%Y%m%dT%H%M%S.%fZ}",
            now=now,
        )
        row = _execute(conn, "by_key", request_key=key).mappings().one()
    is_its_own = row["request_hash"] is None or bytes(row["request_hash"]) == request_hash
    if row["actor"] != actor.name or not is_its_own:
        raise KeyReused()
    return Claimed(key, request_hash, row["request_id"], row["answer"])


def keep_answer(db: Database, claimed: Claimed, answer: str) -> str:
    """Keep what the request was answered; the answer that counts is the first one kept."""
    with db.transaction(CONTROL) as conn:
        _execute(
            conn,
            "keep_answer",
            request_key=claimed.request_key,
            request_hash=claimed.request_hash,
            request_id=claimed.request_id,
            answer=answer,
        )
        row = _execute(conn, "by_key", request_key=claimed.request_key).mappings().one_or_none()
    if row is None or row["request_id"] != claimed.request_id:
        return answer
    return str(row["answer"])


def forget(conn: Connection, now: datetime) -> int:
    """Delete the keys that are older than a week; how many."""
    return int(_execute(conn, "forget", since=now - KEPT).rowcount)


def _execute(conn: Connection, name: str, **parameters: object) -> Any:
    return conn.execute(sql.query("access/request_keys", name), parameters)
