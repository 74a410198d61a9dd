"""The reports: collection with scout, cabinet leads, scouts."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, text

from scout_core.db.database import ADMIN, Database
from tests.support import factories
from tests.support.looking import look

COLLECTION = "v_yango_collection_with_scout"
SCOUTING, LEADS = "module_ct_scouting_daily", "module_ct_cabinet_leads"


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
