"""The reports: collection with scout, the base of the liquidation, cabinet leads, scouts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from scout_core.database import ADMIN, Database
from tests.support import factories
from tests.support.installing import init, opened, run
from tests.support.looking import Look, look, refresh

COLLECTION, BASE = "v_yango_collection_with_scout", "v_scout_payment_base"
SCOUTING, LEADS = "module_ct_scouting_daily", "module_ct_cabinet_leads"
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


def in_the_ledger(conn: Connection, person: UUID) -> None:
    factories.ledger(conn, person=person, scout=7)


def in_events(conn: Connection, person: UUID) -> None:
    factories.lead_event(conn, person=person, scout=7)


def in_migrations(conn: Connection, person: UUID) -> None:
    row = factories.migration(conn, scout=7)
    factories.link(conn, person=person, table="module_ct_migrations", pk=row)


def in_scouting(conn: Connection, person: UUID) -> None:
    row = factories.scouting_row(conn, scout=7)
    factories.link(conn, person=person, table=SCOUTING, pk=row)


def in_payments(conn: Connection, person: UUID) -> None:
    factories.payment(conn, person=person, scout=7)


BUCKETS = {
    "SATISFACTORY_LEDGER": in_the_ledger,
    "EVENTS_ONLY": in_events,
    "MIGRATIONS_ONLY": in_migrations,
    "SCOUTING_DAILY_ONLY": in_scouting,
    "CABINET_PAYMENTS_ONLY": in_payments,
}


def test_claim_shows_from_which_source_its_scout_is(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        factories.scout_listed(conn, 7, name=" rosa   quispe ", active=False)
        persons = {}
        made = list(BUCKETS.values())
        for place, bucket in enumerate(BUCKETS):
            person = persons[bucket] = factories.person(conn)
            # what stands lower is there as well, and does not count
            for put in made[place:]:
                put(conn, person)
            factories.claim(conn, person=person, driver=bucket)
        nobody = factories.person(conn)
        factories.claim(conn, person=nobody, driver="without")
        factories.claim(conn, driver="stranger")
        by_driver = factories.driver(conn, key="linked", person=persons["EVENTS_ONLY"])
        factories.claim(conn, driver=by_driver, milestone=5)
    seen = look(db)
    shown = {row["driver_id"]: row for row in seen.views[COLLECTION]}
    assert len(shown) == len(seen.views[COLLECTION]) == 8
    buckets = {driver: row["scout_quality_bucket"] for driver, row in shown.items()}
    assert buckets == {bucket: bucket for bucket in BUCKETS} | {
        "without": "MISSING",
        "stranger": "MISSING",
        "linked": "EVENTS_ONLY",
    }
    for place, bucket in enumerate(BUCKETS, start=1):
        row = shown[bucket]
        assert (row["scout_id"], row["scout_priority"], row["is_scout_resolved"]) == (
            7,
            place,
            True,
        )
        assert row["scout_name"] == " rosa   quispe "
        assert (row["scout_name_normalized"], row["scout_is_active"]) == ("ROSA QUISPE", False)
        assert row["scout_source_table"].split(".")[0] in ("observational", "public")
    for driver in ("without", "stranger"):
        row = shown[driver]
        resolved = ("scout_id", "scout_name", "scout_is_active", "scout_source_table",
                    "scout_attribution_date", "scout_priority")  # fmt: skip
        assert {row[name] for name in resolved} == {None}
        assert (row["is_scout_resolved"], row["is_conflict"]) == (False, False)
    assert shown["linked"]["person_key"] is None


def test_claim_of_a_person_in_conflict_says_so(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana, luis = factories.person(conn), factories.person(conn)
        for person in (ana, luis):
            factories.lead_event(conn, person=person, scout=7)
            for milestone in (1, 5):
                factories.claim(conn, person=person, driver=str(person), milestone=milestone)
        factories.payment(conn, person=ana, scout=8)
    seen = look(db)
    marked = {(row["person_key"], row["milestone_value"]): row["is_conflict"]
              for row in seen.views[COLLECTION]}  # fmt: skip
    assert marked == {(ana, 1): True, (ana, 5): True, (luis, 1): False, (luis, 5): False}


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
        factories.payment(conn, person=person, on=reached, **{trips: True})
    return person


@pytest.fixture(scope="module")
def money(server_url: str) -> Iterator[Money]:
    from tests.support import databases

    made = Money()
    with databases.clone(server_url, databases.source_schema_template(server_url)) as url:
        run(url, *MONEY)
        init(url)
        with opened(url) as db:
            with db.transaction(ADMIN) as conn:
                five = {"trips": "trip_5"}
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


def test_cabinet_lead_without_scout_is_listed_with_a_hint(db: Database) -> None:
    created = datetime(2026, 3, 2, 20, tzinfo=UTC)
    with db.transaction(ADMIN) as conn:
        people = {n: factories.person(conn) for n in ("done", "one", "two", "none", "other")}
        for name, person in people.items():
            factories.cabinet_lead(conn, external=name, lead_created_at="2026-03-02 15:00:00")
            factories.link(conn, person=person, table=LEADS, pk=name)
        factories.ledger(conn, person=people["done"], scout=7)
        factories.ledger(conn, person=people["none"])
        factories.lead_event(conn, person=people["one"], scout=7)
        factories.lead_event(conn, person=people["one"], payload={"scout_id": "7"})
        factories.lead_event(conn, person=people["two"], scout=7)
        factories.lead_event(conn, person=people["two"], scout=8)
        factories.payment(conn, person=people["other"], scout=7)
        stranger = factories.cabinet_lead(conn, external="stranger", lead_created_at="infinity")
        bare = conn.execute(
            text("insert into public.module_ct_cabinet_leads (id) values (900) returning id")
        ).scalar_one()
        factories.link(conn, person=people["one"], table=LEADS, pk=bare)
    listed = look(db).views["v_cabinet_leads_missing_scout_alerts"]
    columns = ("person_key", "potential_scout_id", "has_scout_in_events", "lead_created_at")
    shown = {row["external_id"]: tuple(row[c] for c in columns) for row in listed}
    assert shown == {
        "one": (people["one"], 7, True, created),
        "two": (people["two"], None, True, created),
        "none": (people["none"], None, False, created),
        "other": (people["other"], None, False, created),
        "stranger": (None, None, False, None),
        None: (people["one"], 7, True, None),
    }
    assert len(listed) == 6
    assert {row["cabinet_lead_id"] for row in listed} >= {stranger, 900}


def test_scout_listed_twice_is_one_row_the_active_then_the_newest(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        add = factories.scout_listed
        for scout, name, active, day in (
            (7, "inactive newer", False, 9),
            (7, "active older", True, 1),
            (8, "newest", True, 5),
            (8, "older", True, 4),
            (8, "dateless", True, None),
            (9, "  ana\t maría  ", None, 1),
            (10, None, False, 1),
        ):
            at = f"2026-03-0{day} 00:00:00" if day else None
            add(conn, scout, name=name, active=active, updated_at=at)  # type: ignore[arg-type]
        conn.execute(
            text("insert into public.module_ct_scouts_list (scout_id, raw_name)"
                 " values (null, 'nobody'), (0, 'zero'), (11, 'Solo Crudo')")
        )  # fmt: skip
    seen = look(db)
    shown = {row["scout_id"]: row for row in seen.views["v_dim_scouts"]}
    assert len(shown) == len(seen.views["v_dim_scouts"])
    names = {s: (r["raw_name"], r["scout_name_normalized"], r["is_active"])
             for s, r in shown.items()}  # fmt: skip
    assert names == {
        7: ("active older", "ACTIVE OLDER", True),
        8: ("newest", "NEWEST", True),
        9: ("  ana\t maría  ", "ANA MARÍA", False),
        10: (None, None, False),
        11: ("Solo Crudo", "SOLO CRUDO", False),
    }
    assert shown[8]["updated_at"] == datetime(2026, 3, 5, 5, tzinfo=UTC)
