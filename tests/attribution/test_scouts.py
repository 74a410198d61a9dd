"""Scorecards count what the lists they open hold; pairs are those of open conflicts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from scout_core.attribution import scouts
from scout_core.attribution.scouts import Collision, Scorecard, ScoutFilters
from scout_core.db.database import ADMIN, LOOK, Database
from scout_core.errors import BadInput
from tests.support import factories
from tests.support.looking import installed, look, refreshed_demo

TODAY = date(2026, 3, 31)


@dataclass(frozen=True)
class Story:
    """7 has a claim, a ledger and a conflict with 9; 8 is inactive, 9 not listed, 10 idle."""

    db: Database
    disputed: UUID
    crowded: UUID


@pytest.fixture(scope="module")
def story(server_url: str) -> Iterator[Story]:
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            factories.scout_listed(conn, 7, name="Ana  Ruiz")
            factories.scout_listed(conn, 8, name="Luis", active=False)
            factories.scout_listed(conn, 10)
            in_ledger, waiting, disputed, inactive, crowded = (
                factories.person(conn) for _ in range(5)
            )
            factories.ledger(conn, person=in_ledger, scout=7)
            factories.claim(conn, person=in_ledger, milestone=1, amount=25)
            factories.claim(conn, person=in_ledger, milestone=5, amount="35.50")
            factories.claim(conn, person=in_ledger, milestone=25, amount=100, paid=True)
            factories.lead_event(conn, person=waiting, scout=7, on=TODAY - timedelta(days=45))
            factories.lead_event(conn, person=disputed, scout=7, on=TODAY)
            factories.payment(conn, person=disputed, scout=9, on=TODAY - timedelta(days=1))
            factories.lead_event(conn, person=inactive, scout=8, on=TODAY - timedelta(days=90))
            for scout in range(100, 100 + scouts.PAIRED_SCOUTS + 1):
                factories.lead_event(conn, person=crowded, scout=scout, on=TODAY)
        yield Story(db, disputed, crowded)


def cards(db: Database, **kind: Any) -> dict[int, Scorecard]:
    with db.transaction(LOOK) as conn:
        page = scouts.list_scorecards(conn, ScoutFilters(**kind), today=TODAY, page_size=1000)
    assert page.total == len(page.rows)
    return {card.scout_id: card for card in page.rows if card.scout_id < 100}


def test_scorecard_counts_what_the_scout_brought(story: Story) -> None:
    assert cards(story.db)[7] == Scorecard(
        scout_id=7,
        scout_name="Ana  Ruiz",
        is_listed=True,
        is_active=True,
        person_count=3,
        satisfactory_count=1,
        conflict_count=1,
        backlog_count=2,
        claim_count=3,
        unpaid_claim_count=2,
        unpaid_pen=Decimal("60.50"),
        recent_count=2,
        earlier_count=1,
        last_attribution_date=TODAY,
        listed_count=25,
    )


def test_scout_without_persons_without_name_or_not_in_the_list_is_there(story: Story) -> None:
    listed = cards(story.db)
    assert {s: (c.scout_name, c.is_listed, c.is_active) for s, c in listed.items()} == {
        7: ("Ana  Ruiz", True, True),
        8: ("Luis", True, False),
        9: (None, False, False),
        10: (None, True, True),
    }
    idle, other = listed[10], listed[9]
    assert (idle.person_count, idle.unpaid_pen, idle.last_attribution_date) == (0, None, None)
    assert (other.person_count, other.conflict_count) == (0, 1)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("active", {7, 10}), ("inactive", {8}), ("unlisted", {9}), ("in_conflict", {7, 9})],
)
def test_kind_of_scout_is_a_filter(story: Story, kind: str, expected: set[int]) -> None:
    assert set(cards(story.db, kind=kind)) == expected


def test_one_scout_is_a_filter_and_wrong_values_are_told(story: Story) -> None:
    assert set(cards(story.db, scout_id=8)) == {8}
    for wrong in ({"kind": "Z"}, {"scout_id": 0}, {"scout_id": 2**31}):
        with pytest.raises(BadInput):
            cards(story.db, **wrong)


def test_pages_of_scorecards_are_the_whole_list_in_both_orders(story: Story) -> None:
    for sort in ("persons", "unpaid"):
        found, after = [], None
        with story.db.transaction(LOOK) as conn:
            while True:
                page = scouts.list_scorecards(
                    conn, ScoutFilters(), today=TODAY, sort=sort, after=after, page_size=4
                )
                found += page.rows
                after = page.after
                if after is None:
                    break
        assert len({card.scout_id for card in found}) == len(found) == page.total == 25
        assert found[0].scout_id == 7
        counts = [c.person_count if sort == "persons" else c.unpaid_pen or -1 for c in found]
        assert counts == sorted(counts, reverse=True)


def test_weeks_end_today_and_hold_every_person_of_theirs(story: Story) -> None:
    with story.db.transaction(LOOK) as conn:
        weeks = scouts.list_weeks(conn, [7, 8, 10], today=TODAY)
    assert len(weeks[7]) == scouts.WEEKS
    assert (weeks[7][-1], weeks[7][-5], weeks[7][-7], sum(weeks[7])) == (1, 1, 1, 3)
    assert (sum(weeks[8]), weeks[8][0]) == (1, 1)
    assert sum(weeks[10]) == 0


def test_pair_is_counted_with_its_conflicts_and_a_crowd_is_left_out(story: Story) -> None:
    with story.db.transaction(LOOK) as conn:
        found = scouts.list_collisions(conn, limit=10)
        shared = scouts.list_shared_conflicts(conn, 7, 9)
        none = scouts.list_shared_conflicts(conn, 7, 8)
    assert found.pairs == (Collision(7, 9, 1),)
    assert found.crowded_persons == 1
    assert [(r.person_key, r.scout_ids) for r in shared.rows] == [(str(story.disputed), [7, 9])]
    assert (none.rows, none.total) == ((), 0)


def test_numbers_of_the_demo_are_the_lengths_of_the_lists(server_url: str) -> None:
    with refreshed_demo(server_url) as db:
        with db.transaction(LOOK) as conn:
            page = scouts.list_scorecards(conn, ScoutFilters(), today=date.today(), page_size=1000)  # noqa: DTZ011
        seen = look(db)
    for card in page.rows:
        attributed = seen.rows_of("v_scout_payment_base", scout_id=card.scout_id)
        assert card.person_count == len(attributed)
        in_ledger = [r for r in attributed if r["source_table"] == "observational.lead_ledger"]
        assert card.satisfactory_count == len(in_ledger)
        conflicts = seen.views["v_scout_attribution_conflicts"]
        assert card.conflict_count == sum(card.scout_id in r["scout_ids"] for r in conflicts)
        missing = seen.rows_of("v_persons_without_scout_categorized", scout_id=card.scout_id)
        assert card.backlog_count == len(missing)
        claims = seen.rows_of("v_yango_collection_with_scout", scout_id=card.scout_id)
        assert card.claim_count == len(claims)
        unpaid = [r["expected_amount"] for r in claims if r["yango_payment_status"] != "PAID"]
        assert (card.unpaid_claim_count, card.unpaid_pen or 0) == (len(unpaid), sum(unpaid))
    assert sum(card.person_count for card in page.rows) == len(seen.views["v_scout_payment_base"])
