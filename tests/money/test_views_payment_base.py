"""The base of the liquidation: what each scout could be paid for, and why not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from scout_core.db.database import ADMIN, Database
from scout_core.money import liquidation
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
    " ('other', 25, 70, true), ('twice', 5, 50, true), ('twice', 5, 80, true)",
)

PAY = (
    "insert into ops.scout_liquidation_ledger (person_key, scout_id, milestone_value, amount,"
    " paid_at) values (:p, :s, :m, :a, :at)"
)


PAID_ON, LATER = "2026-04-01", "2150-01-01"
# scout, milestone, amount, day of each row of the liquidation ledger; the scout of the person is 7
PAYMENTS: dict[str, list[tuple[int | None, int | None, object, str]]] = {
    "taken back": [(7, 5, 50, PAID_ON), (7, 5, -50, PAID_ON)],
    "taken back without a milestone": [(7, 5, 50, PAID_ON), (7, None, -50, PAID_ON)],
    "taken back without a scout": [(7, 5, 50, PAID_ON), (None, 5, -50, PAID_ON)],
    "taken back in part": [(7, 5, 50, PAID_ON), (7, 5, -20, PAID_ON)],
    "taken back and paid": [(7, 5, 50, PAID_ON), (7, 5, -50, PAID_ON), (7, 5, 50, PAID_ON)],
    "lower one stays": [(7, 1, 10, PAID_ON), (7, 5, 50, PAID_ON), (7, 5, -50, PAID_ON)],
    "taken back later": [(7, 5, 50, PAID_ON), (7, 5, -50, LATER)],
    "to another": [(8, 5, 50, PAID_ON)],
    "to another, mended": [(8, 5, 50, PAID_ON), (8, 5, -50, PAID_ON), (7, 5, 50, PAID_ON)],
    "to both": [(8, 5, 50, PAID_ON), (7, 5, 50, PAID_ON)],
    "to nobody": [(None, 5, 50, PAID_ON)],
    "in the future": [(7, 5, 50, LATER)],
    "at no time": [(7, 5, 50, "infinity")],
    "nothing": [(7, 5, 0, PAID_ON)],
    "unknown amount": [(7, 5, None, PAID_ON)],
}


@dataclass
class Money:
    """Persons by what is known of them, and what the base of the liquidation says."""

    persons: dict[str, UUID] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: Look | None = None
    listed: dict[UUID, tuple[str, int | None]] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)


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
                for name in PAYMENTS:
                    p[name] = someone(conn)
                p["two rules"] = someone(conn, tag="twice")
                p["without scout"] = factories.person(conn)
                for name, milestone, paid_at in (
                    ("paid", 5, "2026-04-01"),
                    ("within", 5, None),
                    ("paid for less", 1, "2026-04-01"),
                    ("paid for more", 25, "2026-04-01"),
                    ("paid without claim", 1, "2026-04-01"),
                ):
                    conn.execute(
                        text(PAY), {"p": p[name], "s": 7, "m": milestone, "a": 30, "at": paid_at}
                    )
                for name, payments in PAYMENTS.items():
                    for scout, milestone, amount, at in payments:
                        conn.execute(
                            text(PAY),
                            {"p": p[name], "s": scout, "m": milestone, "a": amount, "at": at},
                        )
            made.seen = look(db)
            with db.transaction(ADMIN) as conn:
                page = liquidation.list_base(conn, page_size=1000)
                for group in liquidation.count_statuses(conn):
                    made.statuses[group.values[0]] += group.row_count
            made.listed = {
                UUID(r.person_key): (r.payment_status, r.paid_to_other_scout_id) for r in page.rows
            }
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


# what the base says of PAYMENTS: the state, and another scout who was paid
PAID_STATES = {
    "taken back": ("ELIGIBLE", None),
    "taken back without a milestone": ("ELIGIBLE", None),
    "taken back without a scout": ("ELIGIBLE", None),
    "taken back in part": ("PAID", None),
    "taken back and paid": ("PAID", None),
    "lower one stays": ("ELIGIBLE", None),
    "taken back later": ("PAID", None),
    "to another": ("ELIGIBLE", 8),
    "to another, mended": ("PAID", None),
    "to both": ("PAID", 8),
    "to nobody": ("PAID", None),
    "in the future": ("ELIGIBLE", None),
    "at no time": ("ELIGIBLE", None),
    "nothing": ("ELIGIBLE", None),
    "unknown amount": ("PAID", None),
}


@pytest.mark.parametrize("name", PAYMENTS)
def test_paid_is_what_the_scout_of_the_person_got_and_kept(money: Money, name: str) -> None:
    row = money.rows[name]
    assert (row["payment_status"], row["paid_to_other_scout_id"]) == PAID_STATES[name]
    assert (row["scout_id"], row["amount_payable"]) == (7, Decimal(30))
    assert money.seen is not None
    # the list of the page says the same, and its totals
    assert money.listed[row["person_key"]] == PAID_STATES[name]
    assert money.statuses == Counter(r["payment_status"] for r in money.seen.views[BASE])


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
    # two rules for the same say nothing, and what is meant for any origin does not stand in
    assert amounts["two rules"] is None
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
