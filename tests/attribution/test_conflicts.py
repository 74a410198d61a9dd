"""The scouts of a conflict side by side: what speaks for each and what each would be paid."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text

from scout_core.attribution import conflicts
from scout_core.attribution.conflicts import ScoutEvidence, Sides
from scout_core.db.database import ADMIN, LOOK, Database
from scout_core.errors import NotFound
from tests.support import databases, factories
from tests.support.installing import init, opened, run

MONEY = (
    "create table ops.scout_payment_rules (id serial primary key, origin_tag varchar,"
    " milestone_value integer, amount numeric(12, 2), is_active boolean)",
    "create table ops.scout_liquidation_ledger (id serial primary key, person_key uuid,"
    " scout_id integer, milestone_value integer, amount numeric(12, 2), paid_at timestamptz)",
    "insert into ops.scout_payment_rules (origin_tag, milestone_value, amount, is_active) values"
    " (null, 5, 30, true), ('migration', 5, 45, true), (null, 5, 99, false)",
)


@dataclass
class World:
    """A database with one conflict of each sort of money."""

    db: Database
    ana: UUID
    bea: UUID
    many: UUID
    calm: UUID

    def sides(self, person: UUID, **limits: int) -> Sides:
        with self.db.transaction(LOOK) as conn:
            return conflicts.evidence_by_scout(conn, str(person), **limits)


@pytest.fixture(scope="module")
def world(server_url: str) -> Iterator[World]:
    with databases.clone(server_url, databases.source_schema_template(server_url)) as url:
        run(url, *MONEY)
        init(url)
        with opened(url) as db:
            with db.transaction(ADMIN) as conn:
                factories.scout_listed(conn, 7, name="Rosa <b>Quispe</b>")
                factories.scout_listed(conn, 14, name="M. Huamán", active=False)
                ana = factories.person(conn)
                driver = factories.driver(conn, person=ana)
                factories.lead_event(conn, person=ana, scout=7, on="2026-03-02")
                factories.lead_event(conn, person=ana, scout=14, on="2026-03-05")
                factories.lead_event(conn, person=ana, scout=14, on="2026-03-04")
                factories.migration(conn, scout=14, driver=driver)
                factories.claim(conn, person=ana, driver=driver, milestone=1, amount=25, paid=True)
                factories.claim(conn, person=ana, driver=driver, milestone=5, amount="35.50")
                conn.execute(
                    text(
                        "insert into ops.scout_liquidation_ledger"
                        " (person_key, scout_id, milestone_value, amount, paid_at)"
                        " values (:p, 7, 1, 10, '2026-03-09'), (:p, 7, 1, 2, null)"
                    ),
                    {"p": ana},
                )
                bea = factories.person(conn)
                factories.ledger(conn, person=bea, scout=3, at="2026-03-01")
                factories.payment(conn, person=bea, scout=4, on=None, created_at="2099-01-01")
                many = factories.person(conn)
                for scout in range(1, 41):
                    factories.lead_event(conn, person=many, scout=scout)
                for day in range(1, 31):
                    factories.lead_event(conn, person=many, scout=40, on=date(2026, 5, day))
                calm = factories.person(conn)
                factories.lead_event(conn, person=calm, scout=7)
            yield World(db, ana, bea, many, calm)


def test_each_scout_has_its_own_evidence_and_nobody_elses(world: World) -> None:
    sides = world.sides(world.ana)
    assert (sides.conflict_kind, sides.scout_count) == ("SEVERAL_SCOUTS", 2)
    huaman, quispe = sides.scouts
    assert (huaman.scout_id, huaman.scout_name, huaman.is_active) == (14, "M. Huamán", False)
    assert (quispe.scout_id, quispe.scout_name, quispe.is_active) == (7, "Rosa <b>Quispe</b>", True)
    assert [str(p.on) for p in huaman.pieces] == ["2026-03-05", "2026-03-04", "2026-03-02"]
    assert (huaman.piece_count, huaman.first_date, huaman.last_date) == (
        3, date(2026, 3, 2), date(2026, 3, 5),
    )  # fmt: skip
    assert {p.source_table for p in huaman.pieces} == {
        "observational.lead_events", "public.module_ct_migrations",
    }  # fmt: skip
    assert [p.source_table for p in quispe.pieces] == ["observational.lead_events"]
    assert all(p.created_at is not None and p.created_at.tzinfo for p in quispe.pieces)


def test_money_is_that_of_the_person_and_of_each_scout(world: World) -> None:
    sides = world.sides(world.ana)
    assert (sides.money.claim_count, sides.money.unpaid_claim_count) == (2, 1)
    assert (sides.money.at_stake_pen, sides.money.paid_pen) == (Decimal("35.50"), Decimal(10))
    by_id = {scout.scout_id: scout for scout in sides.scouts}
    assert (by_id[7].would_be_paid_pen, by_id[7].paid_pen) == (Decimal(30), Decimal(10))
    assert (by_id[14].would_be_paid_pen, by_id[14].paid_pen) == (Decimal(30), None)
    assert {scout.milestone_reached for scout in sides.scouts} == {5}


def test_would_be_paid_is_what_the_payment_base_says_of_the_canonical_scout(world: World) -> None:
    with world.db.transaction(LOOK) as conn:
        base = conn.execute(
            text(
                "select scout_id, amount_payable from ops.v_scout_payment_base where person_key=:p"
            ),
            {"p": world.ana},
        ).one()
    by_id: dict[int, ScoutEvidence] = {s.scout_id: s for s in world.sides(world.ana).scouts}
    assert by_id[base.scout_id].would_be_paid_pen == base.amount_payable == Decimal(30)


def test_unknown_money_and_dates_are_null_and_the_ledger_comes_first(world: World) -> None:
    sides = world.sides(world.bea)
    assert (sides.conflict_kind, sides.ledger_scout_id) == ("CONTRADICTS_LEDGER", 3)
    ledger, other = sides.scouts
    assert (ledger.scout_id, ledger.is_in_ledger, ledger.scout_name) == (3, True, None)
    assert (other.scout_id, other.is_in_ledger, other.last_date) == (4, False, None)
    assert (other.would_be_paid_pen, other.paid_pen, other.milestone_reached) == (None, None, None)
    assert sides.money.at_stake_pen is None
    with world.db.transaction(LOOK) as conn:
        rows = {r.person_key: r for r in conflicts.list_open(conn).rows}
    assert rows[str(world.bea)].at_stake_pen is None
    assert rows[str(world.bea)].age_days(date(2026, 4, 2)) is None
    assert rows[str(world.ana)].at_stake_pen == Decimal("35.50")
    assert rows[str(world.ana)].paid_pen == Decimal(10)
    assert rows[str(world.ana)].age_days(date(2026, 3, 9)) == 4


def test_very_many_scouts_are_capped_and_counted(world: World) -> None:
    sides = world.sides(world.many, scout_limit=5, piece_limit=10)
    assert (len(sides.scouts), sides.scout_count) == (5, 40)
    assert (sides.scouts[0].scout_id, sides.scouts[0].piece_count) == (40, 31)
    assert [str(p.on) for p in sides.scouts[0].pieces][:2] == ["2026-05-30", "2026-05-29"]
    assert len(sides.scouts[0].pieces) == 10


def test_person_without_an_open_conflict_has_no_sides(world: World) -> None:
    for key in (str(world.calm), "00000000-0000-4000-8000-00000000000a"):
        with pytest.raises(NotFound, match="no open conflict"), world.db.transaction(LOOK) as conn:
            conflicts.evidence_by_scout(conn, key)
    with pytest.raises(NotFound, match="no person key"), world.db.transaction(LOOK) as conn:
        conflicts.evidence_by_scout(conn, "x' or 1=1")
