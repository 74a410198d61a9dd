"""Scouts: what each brought, what of it is disputed or waiting, whom two of them claim."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from sqlalchemy import Connection

from scout_core.db import sql
from scout_core.lists.filters import check_choice, check_scout
from scout_core.lists.paging import Key, Page, Sort, read_page

Kind = Literal["active", "inactive", "unlisted", "in_conflict"]

WEEKS = 13
# a person claimed by more scouts has more pairs than anybody reads
PAIRED_SCOUTS = 20
SORTS = {
    "persons": Sort(Key("person_count", "integer"), Key("scout_id", "integer")),
    "unpaid": Sort(Key("unpaid_key", "numeric"), Key("scout_id", "integer")),
}
CONFLICT_SORTS = {"newest": Sort(Key("newest_key", "date"), Key("person_key", "uuid"))}


@dataclass(frozen=True)
class ScoutFilters:
    """Which scouts. kind null = all; unlisted: named by evidence and not in the list of scouts."""

    kind: str | None = None
    scout_id: int | None = None


@dataclass(frozen=True)
class Scorecard:
    """One scout. Counts of persons; money in soles, null without an unpaid claim.

    person_count: persons whose canonical scout it is; of these satisfactory_count are in the
    ledger. backlog_count: persons without a scout whose events name this one alone.
    conflict_count: open conflicts in which it is named. recent_count: attributed in the last 30
    days, earlier_count in the 30 before. listed_count: scouts under the filter.
    """

    scout_id: int
    scout_name: str | None
    is_listed: bool
    is_active: bool
    person_count: int
    satisfactory_count: int
    conflict_count: int
    backlog_count: int
    claim_count: int
    unpaid_claim_count: int
    unpaid_pen: Decimal | None
    recent_count: int
    earlier_count: int
    last_attribution_date: date | None
    listed_count: int


@dataclass(frozen=True)
class Collision:
    """Two scouts, the lower number first, and in how many open conflicts both are named."""

    low_scout_id: int
    high_scout_id: int
    person_count: int


@dataclass(frozen=True)
class Collisions:
    """The pairs with most persons. crowded_persons: left out, named by over PAIRED_SCOUTS."""

    pairs: tuple[Collision, ...]
    crowded_persons: int


@dataclass(frozen=True)
class SharedConflict:
    """An open conflict in which both scouts of a pair are named. scout_ids ascending."""

    person_key: str
    conflict_kind: str
    scout_ids: list[int]
    last_event_date: date | None


def list_scorecards(
    conn: Connection,
    filters: ScoutFilters,
    *,
    today: date,
    sort: str = "persons",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
) -> Page[Scorecard]:
    """Every scout that is listed or named by evidence: most persons first, or most unpaid money.

    Reads ops.v_scout_attribution, the conflicts, the backlog and the collection by scout.
    """
    check_choice(filters.kind, get_args(Kind), "kind")
    check_scout(filters.scout_id)
    page = read_page(
        conn,
        sql.query("attribution/scouts", "list_scorecards"),
        Scorecard,
        {"kind": filters.kind, "scout": filters.scout_id, "today": today},
        sorts=SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
        total=0,
    )
    # counted by the statement itself: to count it apart would take as long again
    return replace(page, total=page.rows[0].listed_count) if page.rows else page


def list_weeks(
    conn: Connection, scout_ids: Sequence[int], *, today: date
) -> dict[int, tuple[int, ...]]:
    """Persons attributed to each scout a week, over the last WEEKS weeks, oldest first."""
    weeks = {scout_id: [0] * WEEKS for scout_id in scout_ids}
    parameters = {"scout_ids": list(scout_ids), "today": today, "week_count": WEEKS}
    for row in conn.execute(sql.query("attribution/scouts", "list_weeks"), parameters):
        weeks[row.scout_id][WEEKS - 1 - row.weeks_ago] = row.person_count
    return {scout_id: tuple(counts) for scout_id, counts in weeks.items()}


def list_collisions(conn: Connection, *, limit: int) -> Collisions:
    """The first `limit` pairs of scouts that share persons in open conflict, most persons first.

    Reads ops.v_scout_attribution_conflicts.
    """
    parameters = {"scout_limit": PAIRED_SCOUTS}
    crowded = conn.execute(
        sql.query("attribution/scouts", "count_crowded"), parameters
    ).scalar_one()
    rows = conn.execute(
        sql.query("attribution/scouts", "list_collisions"), {**parameters, "row_limit": limit}
    ).mappings()
    return Collisions(tuple(Collision(**row) for row in rows), int(crowded))


def list_shared_conflicts(
    conn: Connection,
    low_scout_id: int,
    high_scout_id: int,
    *,
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
) -> Page[SharedConflict]:
    """The open conflicts that name both scouts, newest evidence first."""
    check_scout(low_scout_id)
    check_scout(high_scout_id)
    return read_page(
        conn,
        sql.query("attribution/scouts", "list_shared_conflicts"),
        SharedConflict,
        {"low": low_scout_id, "high": high_scout_id},
        sorts=CONFLICT_SORTS,
        sort="newest",
        after=after,
        before=before,
        page_size=page_size,
    )
