"""Open conflicts: persons whose evidence names scouts that cannot all be right."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from scout_core import sql


@dataclass(frozen=True)
class Conflict:
    """One person with an open conflict. scout_ids ascending, the ledger's among them."""

    person_key: str
    conflict_kind: str
    ledger_scout_id: int | None
    distinct_scout_count: int
    scout_ids: list[int]
    sources: list[str]
    origin_tags: list[str]
    first_event_date: date | None
    last_event_date: date | None
    total_sources: int


def list_open(conn: Connection, *, limit: int) -> list[Conflict]:
    """The first `limit` open conflicts, newest evidence first.

    Reads ops.v_scout_attribution_conflicts.
    """
    rows = conn.execute(sql.query("conflicts", "list_open"), {"row_limit": limit}).mappings()
    return [Conflict(**row) for row in rows]


def count_open(conn: Connection) -> int:
    """How many conflicts are open."""
    return int(conn.execute(sql.query("conflicts", "count_open")).scalar_one())
