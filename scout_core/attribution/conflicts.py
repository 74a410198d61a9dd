"""Open conflicts: persons whose evidence names scouts that cannot all be right."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from scout_core.attribution import fingerprint
from scout_core.attribution import stakes as money
from scout_core.db import sql
from scout_core.errors import NotFound
from scout_core.lists import filters, paging
from scout_core.lists.paging import Group, Key, Page, Sort

KINDS = ("SEVERAL_SCOUTS", "CONTRADICTS_LEDGER", "NEW_EVIDENCE")
# Persons whose claims are asked for by key; of more, all claims are read.
MAX_KEYS = 10_000
SORTS = {
    "newest": Sort(Key("newest_key", "date"), Key("row_key", "uuid")),
    "stake": Sort(Key("stake_key", "numeric"), Key("row_key", "uuid")),
}


@dataclass(frozen=True)
class ConflictFilters:
    """Which open conflicts; null = any. source is a table of evidence; since and until hold the
    newest evidence; text is the beginning of a person key."""

    scout_id: int | None = None
    source: str | None = None
    conflict_kind: str | None = None
    since: date | None = None
    until: date | None = None
    text: str | None = None


@dataclass(frozen=True)
class OpenConflict:
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

    def age_days(self, today: date) -> int | None:
        """Days since the newest evidence; null when it has no date."""
        return None if self.last_event_date is None else (today - self.last_event_date).days


@dataclass(frozen=True)
class Conflict(OpenConflict):
    """The same with its money in soles, null when unknown: claims that Yango has not paid, and
    what the liquidation ledger paid for the person."""

    at_stake_pen: Decimal | None
    paid_pen: Decimal | None


@dataclass(frozen=True)
class ListedConflict(Conflict):
    """The same with the fingerprint of its evidence, which goes back with a decision."""

    seen: str | None


@dataclass(frozen=True)
class ExportedConflict(Conflict):
    """The same with a phone and a licence that the evidence gives, as it gives them."""

    driver_phone: str | None
    driver_license: str | None


@dataclass(frozen=True)
class Piece:
    """A piece of evidence. on is the day that the source gives, null when it gives none."""

    on: date | None
    source_table: str
    source_pk: str
    origin_tag: str | None
    created_at: datetime | None


@dataclass(frozen=True)
class ScoutEvidence:
    """What speaks for one scout. pieces are newest first and may be fewer than piece_count.

    would_be_paid_pen is what the payment rules give for the milestone that the person reached,
    null when no rule fits; paid_pen what this scout was already paid for the person.
    """

    scout_id: int
    scout_name: str | None
    is_active: bool | None
    is_in_ledger: bool
    piece_count: int
    first_date: date | None
    last_date: date | None
    milestone_reached: int | None
    would_be_paid_pen: Decimal | None
    paid_pen: Decimal | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Sides:
    """A person's open conflict, scout by scout. scouts may be fewer than scout_count. seen: the
    fingerprint of this evidence, which goes back with a decision."""

    person_key: str
    seen: str
    conflict_kind: str
    ledger_scout_id: int | None
    scout_count: int
    money: money.Money
    scouts: tuple[ScoutEvidence, ...]


def list_open(
    conn: Connection,
    listed: ConflictFilters | None = None,
    *,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
    total: int | None = None,
) -> Page[ListedConflict]:
    """Open conflicts: newest evidence first ("newest") or most money at stake first ("stake").

    Reads ops.v_scout_attribution_conflicts, scout.v_claims, scout.src_liquidation_ledger.
    """
    page = paging.read_page(
        conn,
        sql.query("attribution/conflicts", "list_open"),
        OpenConflict,
        _parameters(listed, _stakes(conn) if sort == "stake" else None),
        sorts=SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
        total=count_open(conn, listed) if total is None else total,
    )
    found = money.by_person(conn, (row.person_key for row in page.rows))
    seens = fingerprint.seen_of(conn, (row.person_key for row in page.rows))
    rows = tuple(
        ListedConflict(
            **{field.name: getattr(row, field.name) for field in fields(row)},
            at_stake_pen=found[row.person_key].at_stake_pen,
            paid_pen=found[row.person_key].paid_pen,
            seen=seens.get(row.person_key),
        )
        for row in page.rows
    )
    return Page(rows, page.total, page.after, page.before)


def stream_open(
    conn: Connection, listed: ConflictFilters | None = None, *, sort: str = "newest"
) -> Iterator[tuple[Any, ...]]:
    """Every open conflict of the filter, as the fields of ExportedConflict; memory stays flat."""
    query = sql.query("attribution/conflicts", "list_open")
    return paging.stream_rows(
        conn, query, ExportedConflict, _parameters(listed, _stakes(conn)), sorts=SORTS, sort=sort
    )


def count_open(conn: Connection, listed: ConflictFilters | None = None) -> int:
    """How many conflicts of the filter are open. All, and those of a kind, are kept as totals."""
    given = listed or ConflictFilters()
    if given == ConflictFilters(conflict_kind=given.conflict_kind):
        filters.check_choice(given.conflict_kind, KINDS, "conflict_kind")
        query = sql.query("attribution/conflicts", "count_settled")
        return int(conn.scalar(query, {"conflict_kind": given.conflict_kind}))
    return paging.count_rows(
        conn, sql.query("attribution/conflicts", "list_open"), _parameters(listed)
    )


def count_kinds(conn: Connection, listed: ConflictFilters | None = None) -> list[Group]:
    """Open conflicts of the filter by kind, with the money at stake."""
    query = sql.query("attribution/conflicts", "list_open")
    return paging.count_groups(
        conn, query, _parameters(listed, _stakes(conn)), by=["conflict_kind"], amount="at_stake_pen"
    )


def evidence_by_scout(
    conn: Connection, person_key: str, *, scout_limit: int = 12, piece_limit: int = 20
) -> Sides:
    """The scouts of an open conflict side by side, the ledger's first, then most evidence first.

    NotFound when the person has no open conflict. Reads ops.v_scout_attribution_raw.
    """
    try:
        key = str(UUID(person_key))
    except ValueError as exc:
        raise NotFound("This is no person key: choose a row of the list.") from exc
    found = conn.execute(
        sql.query("attribution/conflicts", "find_open"), {"person_key": key}
    ).one_or_none()
    if found is None:
        raise NotFound(f"{key} has no open conflict: it was decided, or the evidence changed.")
    rows = conn.execute(
        sql.query("attribution/conflicts", "evidence_by_scout"),
        {"person_key": key, "scout_limit": scout_limit, "piece_limit": piece_limit},
    ).mappings()
    return Sides(
        person_key=key,
        seen=fingerprint.seen_of(conn, [key])[key],
        conflict_kind=found.conflict_kind,
        ledger_scout_id=found.ledger_scout_id,
        scout_count=found.distinct_scout_count,
        money=money.by_person(conn, [key])[key],
        scouts=tuple(
            ScoutEvidence(**{**row, "pieces": tuple(_piece(p) for p in row["pieces"])})
            for row in rows
        ),
    )


def _piece(values: list[Any]) -> Piece:
    on, source_table, source_pk, origin_tag, created_at = values
    return Piece(
        on=None if on is None else date.fromisoformat(on),
        source_table=source_table,
        source_pk=source_pk,
        origin_tag=origin_tag,
        created_at=None if created_at is None else datetime.fromisoformat(created_at),
    )


def _stakes(conn: Connection) -> dict[str, str]:
    """What is at stake for those with an open conflict and claims, as two arrays of the database;
    none when too many have a conflict. In text, which the database reads faster than a list."""
    rows = conn.execute(
        sql.query("attribution/conflicts", "list_keys"), {"row_limit": MAX_KEYS + 1}
    )
    keys = list(rows.scalars())
    if len(keys) > MAX_KEYS:
        return {}
    found = conn.execute(
        sql.query("attribution/conflicts", "list_stakes"), {"person_keys": _array(keys)}
    ).all()
    return {
        "person_keys": _array([row.person_key for row in found]),
        "stakes": _array([row.stake for row in found]),
    }


def _array(values: list[str]) -> str:
    return "{" + ",".join(values) + "}"


def _parameters(
    listed: ConflictFilters | None, stakes: dict[str, str] | None = None
) -> dict[str, object]:
    given = listed or ConflictFilters()
    filters.check_choice(given.conflict_kind, KINDS, "conflict_kind")
    filters.check_choice(given.source, filters.EVIDENCE_SOURCES, "source")
    filters.check_scout(given.scout_id)
    filters.check_days(given.since, given.until)
    key_from, key_to = filters.key_range(given.text)
    return {
        **asdict(given),
        "key_from": key_from,
        "key_to": key_to,
        "person_keys": None,
        "stakes": None,
        **(stakes or {}),
    }
