"""What is at stake and what was paid for persons, and what scouts are called; read for the rows
of a page, so that the claims are asked for a few keys and never for a whole list."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from scout_core.db import sql


@dataclass(frozen=True)
class Money:
    """Soles of a person. at_stake_pen sums the claims that Yango has not paid: zero when it
    paid all, null when there is none or their amounts are unknown. paid_pen is what the
    liquidation ledger paid to scouts."""

    claim_count: int = 0
    unpaid_claim_count: int = 0
    at_stake_pen: Decimal | None = None
    paid_pen: Decimal | None = None


NOTHING = Money()


def by_person(conn: Connection, person_keys: Iterable[str]) -> dict[str, Money]:
    """The money of each of these persons. Reads scout.v_claims, scout.src_liquidation_ledger."""
    keys = sorted(set(person_keys))
    if not keys:
        return {}
    rows = conn.execute(
        sql.query("attribution/stakes", "by_person"), {"person_keys": keys}
    ).mappings()
    return {
        row["person_key"]: Money(**{k: v for k, v in row.items() if k != "person_key"})
        for row in rows
    }


def names_of_scouts(conn: Connection, scout_ids: Iterable[int | None]) -> dict[int, str | None]:
    """What the list of scouts calls each of these; null or missing = it has no name for it."""
    ids = sorted({scout for scout in scout_ids if scout is not None})
    if not ids:
        return {}
    rows = conn.execute(sql.query("attribution/stakes", "scout_names"), {"scout_ids": ids})
    return {row.scout_id: row.scout_name for row in rows}


def list_scouts(conn: Connection) -> tuple[tuple[int, str | None], ...]:
    """Every scout of the list with its name, by number. Reads scout.v_scout_names."""
    rows = conn.execute(sql.query("attribution/stakes", "scouts"))
    return tuple((row.scout_id, row.scout_name) for row in rows)
