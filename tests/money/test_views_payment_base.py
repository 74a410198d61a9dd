"""The base of the liquidation: what each scout could be paid for, and why not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from scout_core.db.database import ADMIN, Database
from tests.support import databases, factories
from tests.support.installing import init, opened, run
from tests.support.looking import Look, look, refresh

BASE = "v_scout_payment_base"
MONEY = (
    "create table ops.scout_payment_rules (id serial primary key, origin_tag varchar,"
    " milestone_value integer, amount numeric(12, 2), is_active boolean)",
    "create table ops.scout_liquidation_ledger (id serial primary key, person_key uuid,"
    " scout_id integer, milestone_value integer, amount numeric(12, 2), paid_at timestamptz)",
    "insert into ops.scout_payment_rules (origin_tag, milestone_value, amount, is_active) values"
    " (null, 1, 10, true), (null, 5, 30, true), ('web', 5, 45, true), (null, 5, 99, false),"
    " ('other', 25, 70, true)",
)

PAY = (
    "insert into ops.scout_liquidation_ledger (person_key, scout_id, milestone_value, amount,"
    " paid_at) values (:p, 7, :m, 30, :at)"
)


@dataclass
class Money:
    """Persons by what is known of them, and what the base of the liquidation says."""

    persons: dict[str, UUID] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: Look | None = None


def someone(
    conn: Connection,
    *,
    linked: bool = True,
    milestones: tuple[int, ...] = (5,),
    tag: str | None = None,
    trips: str | None = None,
    reached: str | None = None,
) -> UUID:
    """Attributed on 2026-03-02; claims for the milestones; a payment row that shows trips."""
    person = factories.person(conn)
    payload = {"origin_tag": tag} if tag else None
    factories.lead_event(conn, person=person, scout=7, payload=payload, on="2026-03-02")
    if linked:
        factories.driver(conn, key=f"d-{person}", person=person)
    for milestone in milestones:
        factories.claim(conn, person=person, driver=f"d-{person}", milestone=milestone)
    if trips:
        shown: dict[str, Any] = {trips: True}
        factories.payment(conn, person=person, on=reached, **shown)
    return person


@pytest.fixture(scope="module")
def money(server_url: str) -> Iterator[Money]:
    made = Money()
    with databases.clone(server_url, databases.source_schema_template(server_url)) as url:
        run(url, *MONEY)
        init(url)
        with opened(url) as db:
            with db.transaction(ADMIN) as conn:
                five: dict[str, Any] = {"trips": "trip_5"}
                p = made.persons
                p["within"] = someone(conn, reached="2026-03-09", **five)
                p["same day"] = someone(conn, reached="2026-03-02", **five)
                p["too late"] = someone(conn, reached="2026-03-10", **five)
                p["before"] = someone(conn, reached="2026-03-01", **five)
                p["date unknown"] = someone(conn)
                p["no claim"] = someone(conn, milestones=())
                p["highest"] = someone(conn, milestones=(1, 5), reached="2026-03-03", **five)
                p["web"] = someone(conn, tag="web", reached="2026-03-03", **five)
                p["no rule"] = someone(conn, milestones=(25,))
                p["conflict"] = someone(conn)
                factories.payment(conn, person=p["conflict"], scout=8)
                p["no identity"] = someone(conn, linked=False)
                p["paid"] = someone(conn)
                p["paid for less"] = someone(conn)
                p["paid for more"] = someone(conn)
                p["paid without claim"] = someone(conn, milestones=())
                p["without scout"] = factories.person(conn)
                for name, milestone, paid_at in (
                    ("paid", 5, "2026-04-01"),
                    ("within", 5, None),
                    ("paid for less", 1, "2026-04-01"),
                    ("paid for more", 25, "2026-04-01"),
                    ("paid without claim", 1, "2026-04-01"),
                ):
                    conn.execute(text(PAY), {"p": p[name], "m": milestone, "at": paid_at})
            made.seen = look(db)
            by_key = {row["person_key"]: row for row in made.seen.views[BASE]}
            made.rows = {name: by_key[key] for name, key in p.items() if key in by_key}
            yield made


STATUS = {
    "within": ("ELIGIBLE", None, True),
    "same day": ("ELIGIBLE", None, True),
    "too late": ("PENDING", None, False),
    "before": ("PENDING", None, False),
    "date unknown": ("ELIGIBLE", None, None),
    "no claim": ("PENDING", None, None),
    "highest": ("ELIGIBLE", None, True),
    "web": ("ELIGIBLE", None, True),
    "no rule": ("ELIGIBLE", None, None),
    "conflict": ("BLOCKED", "CONFLICT", None),
    "no identity": ("BLOCKED", "NO_IDENTITY", None),
    "paid": ("PAID", None, None),
    "paid for less": ("ELIGIBLE", None, None),
    "paid for more": ("PAID", None, None),
    "paid without claim": ("PAID", None, None),
}


@pytest.mark.parametrize("name", STATUS)
def test_base_says_whether_a_scout_can_be_paid_and_why_not(money: Money, name: str) -> None:
    row = money.rows[name]
    shown = (row["payment_status"], row["block_reason"], row["eligible_7d"])
    assert shown == STATUS[name]
    assert row["scout_id"] == 7


def test_base_has_each_person_with_a_scout_once(money: Money) -> None:
    assert money.seen is not None
    assert set(money.rows) == set(money.persons) - {"without scout"}
    assert len(money.seen.views[BASE]) == len(money.rows)


def test_amount_is_that_of_the_best_rule_and_unknown_is_null(money: Money) -> None:
    amounts = {name: money.rows[name]["amount_payable"] for name in money.rows}
    assert amounts["within"] == Decimal("30.00")
    assert amounts["web"] == Decimal("45.00")
    assert amounts["no rule"] is None
    assert amounts["no claim"] is None
    assert amounts["paid"] == Decimal("30.00")


def test_milestone_is_the_highest_claimed_with_the_day_that_shows_it(money: Money) -> None:
    shown = {n: (r["milestone_reached"], r["milestone_date"]) for n, r in money.rows.items()}
    assert shown["highest"] == (5, date(2026, 3, 3))
    assert shown["within"] == (5, date(2026, 3, 9))
    assert shown["date unknown"] == (5, None)
    assert shown["no claim"] == (None, None)
    assert money.rows["within"]["driver_id"] == f"d-{money.persons['within']}"
    assert money.rows["no identity"]["driver_id"] is None
    assert money.rows["web"]["origin_tag"] == "web"


def test_without_tables_of_money_nothing_is_paid_and_no_amount_invented(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        someone(conn)
    refresh(db)
    row = look(db).row_of(BASE)
    assert (row["amount_payable"], row["payment_status"]) == (None, "ELIGIBLE")
    assert (row["source_table"], row["scout_id"]) == ("observational.lead_ledger", 7)
