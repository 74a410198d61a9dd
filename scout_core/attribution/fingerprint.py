"""The fingerprint of what somebody who decides has on screen; given out with lists, asked back."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection

from scout_core.db import sql
from scout_core.errors import BadInput, NotFound


def seen_of(conn: Connection, person_keys: Iterable[str]) -> dict[str, str]:
    """The fingerprint of each of these persons who is registered. Reads scout.v_evidence_seen."""
    keys = sorted(set(person_keys))
    if not keys:
        return {}
    rows = conn.execute(sql.query("decide/decisions", "seen"), {"person_keys": keys})
    return {row.person_key: row.seen for row in rows}


def checked_key(person_key: str) -> str:
    """A person key in its one form. NotFound when the text is none."""
    try:
        return str(UUID(person_key))
    except (ValueError, AttributeError, TypeError) as exc:
        raise NotFound(
            f"{str(person_key)[:40]!r} is no person key: give a uuid of "
            "canon.identity_registry.person_key."
        ) from exc


def checked_seen(seen: str) -> str:
    """A fingerprint as lists give it out. BadInput when it cannot be one."""
    if len(seen) != 32 or not set(seen) <= set("0123456789abcdef"):
        raise BadInput(
            "seen is not what a list, card or explanation gave out: look at the evidence again.",
            parameter="seen",
            allowed="as the list, card or explanation gave it out",
        )
    return seen
