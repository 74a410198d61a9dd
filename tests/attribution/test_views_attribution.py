"""Evidence, the canonical scout, open conflicts and the backlog, against plain recomputation."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from scout_core.db.database import ADMIN, Database
from tests.support import factories
from tests.support.looking import Look, State, look, refresh, rows, write

RAW, CANONICAL = "v_scout_attribution_raw", "v_scout_attribution"
CONFLICTS = "v_scout_attribution_conflicts"
SCOUTING = "module_ct_scouting_daily"
THEN = datetime(2026, 3, 2, 15, tzinfo=UTC)


def pieces(seen: Look, **values: object) -> list[tuple[Any, ...]]:
    columns = ("priority", "scout_id", "source_table", "source_pk", "attribution_date")
    return sorted(tuple(row[c] for c in columns) for row in seen.rows_of(RAW, **values))


def test_each_source_gives_one_piece_with_its_own_columns(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        driver = factories.driver(conn, key="d1", person=ana)
        factories.ledger(conn, person=ana, scout=1, at=datetime(2026, 1, 1, 3, tzinfo=UTC))
        event = factories.lead_event(
            conn, person=ana, scout=2, payload={"origin_tag": "web"}, on="2026-02-01"
        )
        moved = factories.migration(conn, scout=3, driver=driver, at="2026-02-02 23:30:00")
        noted = factories.scouting_row(
            conn, scout=4, license="Q12345678", phone="999888777", acquisition_method="calle"
        )
        factories.link(conn, person=ana, table=SCOUTING, pk=noted)
        paid = factories.payment(conn, scout=5, driver=driver, on="2026-02-04")
    seen = look(db)
    assert pieces(seen, person_key=ana) == [
        (1, 1, "observational.lead_ledger", str(ana), date(2025, 12, 31)),
        (2, 2, "observational.lead_events", str(event), date(2026, 2, 1)),
        (3, 3, "public.module_ct_migrations", str(moved), date(2026, 2, 2)),
        (4, 4, "public.module_ct_scouting_daily", str(noted), factories.DAY),
        (5, 5, "public.module_ct_cabinet_payments", str(paid), date(2026, 2, 4)),
    ]
    tags = {row["priority"]: row["origin_tag"] for row in seen.views[RAW]}
    assert tags == {1: None, 2: "web", 3: "migration", 4: "scout_registration",
                    5: "cabinet_payment"}  # fmt: skip
    scouting = seen.row_of(RAW, priority=4)
    assert (scouting["driver_license"], scouting["driver_phone"]) == ("Q12345678", "999888777")
    assert scouting["acquisition_method"] == "calle"
    drivers = {row["priority"]: row["driver_id"] for row in seen.views[RAW]}
    assert drivers == {1: None, 2: None, 3: "d1", 4: None, 5: "d1"}
    assert [row["scout_id"] for row in seen.views[CANONICAL]] == [1]


def test_row_leads_to_the_person_of_its_own_link_before_that_of_its_driver(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana, luis = factories.person(conn), factories.person(conn)
        driver = factories.driver(conn, person=luis)
        own = factories.migration(conn, scout=1, driver=driver)
        factories.link(conn, person=ana, table="module_ct_migrations", pk=own)
        factories.migration(conn, scout=2, driver=driver)
        factories.migration(conn, scout=3, driver="nobody")
        factories.payment(conn, scout=4, person=ana, driver=driver)
        factories.payment(conn, scout=5, driver=driver)
        # a key that the registry lacks is nobody, and the driver does not stand in for it
        factories.payment(conn, scout=6, person=uuid4(), driver=driver)
        factories.payment(conn, scout=7)
        factories.scouting_row(conn, scout=8)
        factories.lead_event(conn, scout=9)
    seen = look(db)
    owners = {row["scout_id"]: row["person_key"] for row in seen.views[RAW]}
    assert owners == {1: ana, 2: luis, 3: None, 4: ana, 5: luis, 6: None, 7: None, 8: None, 9: None}
    assert len(seen.views[RAW]) == 9
    canonical = {row["person_key"]: row["scout_id"] for row in seen.views[CANONICAL]}
    assert canonical == {ana: 1, luis: 2}


def some_evidence(conn: Connection, rng: random.Random) -> None:
    """Many pieces for few persons, so that every step of the order is needed."""
    persons = [factories.person(conn) for _ in range(12)]
    drivers = [factories.driver(conn, person=person) for person in persons]
    for _ in range(260):
        n = rng.randrange(len(persons))
        scout, day = rng.randint(1, 3), rng.choice([None, "2026-03-02", "2026-03-03", "infinity"])
        made = rng.choice([THEN, THEN + timedelta(hours=1)])
        kind = rng.choice(["event", "migration", "scouting", "payment"])
        if kind == "event" and n % 3 == 0:
            factories.lead_event(
                conn, person=persons[n], scout=scout, payload={"scout_id": rng.randint(1, 3)},
                on=day or "2026-03-02", created_at=made,
            )  # fmt: skip
        elif kind == "migration" and n % 3 <= 1:
            factories.migration(
                conn, scout=scout, driver=drivers[n], at=day, created_at=made.replace(tzinfo=None)
            )
        elif kind == "scouting":
            row = factories.scouting_row(
                conn, scout=scout, on=day, created_at=rng.choice([None, made.replace(tzinfo=None)])
            )
            factories.link(conn, person=persons[n], table=SCOUTING, pk=row)
        elif kind == "payment":
            factories.payment(conn, scout=scout, person=persons[n], on=day)


def before(row: dict[str, Any]) -> tuple[Any, ...]:
    """Sort key of the canonical piece: the lowest comes first; a missing time comes last."""
    day, made = row["attribution_date"], row["created_at"]
    return (
        row["priority"],
        -day.toordinal() if day else 1,
        -made.timestamp() if made else 1,
        row["scout_id"],
        row["source_table"],
        row["source_pk"],
    )


def test_canonical_piece_is_the_first_in_the_documented_order(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        some_evidence(conn, random.Random(7))
    seen = look(db)
    chosen = {
        row["person_key"]: (row["scout_id"], row["source_table"], row["source_pk"])
        for row in seen.views[CANONICAL]
    }
    assert len(chosen) == len(seen.views[CANONICAL]) == 12
    first: dict[UUID, Any] = {}
    for row in sorted(seen.views[RAW], key=before):
        kept = (row["scout_id"], row["source_table"], row["source_pk"])
        first.setdefault(row["person_key"], kept)
    assert chosen == first
    with db.transaction(ADMIN) as conn:
        distinct = conn.execute(
            text(
                "select distinct on (person_key) person_key, scout_id, source_table, source_pk"
                " from ops.v_scout_attribution_raw where person_key is not null order by"
                " person_key, priority, attribution_date desc nulls last,"
                " created_at desc nulls last, scout_id, source_table, source_pk"
            )
        ).all()
    assert {row[0]: tuple(row[1:]) for row in distinct} == chosen


def test_conflict_lists_scouts_sources_dates_and_pieces(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana, luis = factories.person(conn), factories.person(conn)
        factories.lead_event(conn, person=ana, scout=9, on="2026-02-01")
        tagged = {"origin_tag": "w"}
        factories.lead_event(conn, person=ana, scout=9, on="2026-02-05", payload=tagged)
        factories.payment(conn, person=ana, scout=7, on="2026-01-31")
        factories.lead_event(conn, person=ana, on="2026-05-05")
        factories.lead_event(conn, person=luis, scout=9)
        factories.lead_event(conn, scout=9)
        factories.lead_event(conn, scout=7)
    refresh(db)
    seen = look(db)
    assert seen.row_of(CONFLICTS) == {
        "person_key": ana,
        "distinct_scout_count": 2,
        "scout_ids": [7, 9],
        "sources": ["observational.lead_events", "public.module_ct_cabinet_payments"],
        "origin_tags": ["cabinet_payment", "w"],
        "first_event_date": date(2026, 1, 31),
        "last_event_date": date(2026, 2, 5),
        "total_sources": 3,
        "conflict_kind": "SEVERAL_SCOUTS",
        "ledger_scout_id": None,
    }
    assert seen.states[luis] == State(scout=9)
    backlog = seen.row_of("v_persons_without_scout_categorized", person_key=ana)
    assert backlog["event_count"] == 3
    assert (backlog["scout_id"], backlog["source_tables"]) == (9, ["module_ct_migrations"])
    assert (backlog["first_event_date"], backlog["last_event_date"]) == (
        date(2026, 2, 1),
        date(2026, 5, 5),
    )


def test_ledger_is_contradicted_by_what_our_run_could_not_know_or_what_came_later(
    db: Database,
) -> None:
    """Our own writing is contradicted by any other scout; somebody else's by newer evidence."""
    with db.transaction(ADMIN) as conn:
        ours, theirs, theirs_older = (factories.person(conn) for _ in range(3))
        factories.lead_event(conn, person=ours, scout=7)
        factories.lead_event(conn, person=theirs_older, scout=8, created_at=THEN)
        factories.ledger(conn, person=theirs_older, scout=7)
        factories.ledger(conn, person=theirs, scout=7)
    refresh(db)
    assert look(db).views[CONFLICTS] == []
    with db.transaction(ADMIN) as conn:
        # older than the run, and learnt later
        factories.payment(conn, person=ours, scout=8, created_at=THEN.replace(tzinfo=None))
        factories.lead_event(
            conn, person=theirs, scout=8, created_at=datetime.now(UTC) + timedelta(seconds=1)
        )
    seen = look(db)
    kinds = {row["person_key"]: row["conflict_kind"] for row in seen.views[CONFLICTS]}
    assert kinds == {ours: "CONTRADICTS_LEDGER", theirs: "CONTRADICTS_LEDGER"}
    assert seen.row_of(CONFLICTS, person_key=ours)["scout_ids"] == [7, 8]
    assert seen.row_of(CONFLICTS, person_key=ours)["ledger_scout_id"] == 7
    # set anew by hand after all that: nothing is newer
    write(
        db,
        "update observational.lead_ledger set attributed_scout_id = 9 where person_key = :p",
        p=ours,
    )
    kinds = {row["person_key"]: row["conflict_kind"] for row in look(db).views[CONFLICTS]}
    assert kinds == {theirs: "CONTRADICTS_LEDGER"}
    refresh(db)
    assert look(db).states[ours] == State(scout=9)


DECIDE = """
insert into scout.decisions (person_key, outcome, scout_id, considered_scout_ids, reason_code,
    note, actor) values (:person, :outcome, :scout, :considered, 'TEST', 'decided by a test', 't')
"""
# as a decision writes the ledger: audited by itself, not as somebody else's change
ASSIGN = """
insert into observational.lead_ledger (person_key, attributed_scout_id, attribution_score,
    confidence_level, decision_status) values (:person, :scout, 1, 'high', 'assigned')
"""


def decide(db: Database, person: UUID, outcome: str, scout: int | None, *considered: int) -> None:
    with db.transaction(ADMIN) as conn:
        if scout is not None:
            conn.execute(text("select set_config('scout.run_id', '0', true)"))
            conn.execute(text(ASSIGN), {"person": person, "scout": scout})
        values = {"person": person, "outcome": outcome, "scout": scout}
        conn.execute(text(DECIDE), values | {"considered": list(considered)})


def test_decision_closes_a_conflict_until_new_evidence_or_somebody_elses_change(
    db: Database,
) -> None:
    with db.transaction(ADMIN) as conn:
        assigned, none, reopened, left = (factories.person(conn) for _ in range(4))
        for person in (assigned, none, reopened, left):
            factories.lead_event(conn, person=person, scout=7)
            factories.lead_event(conn, person=person, scout=8)
    decide(db, assigned, "ASSIGN", 7, 7, 8)
    decide(db, none, "NO_SCOUT", None, 7, 8)
    decide(db, reopened, "NO_SCOUT", None, 7, 8)
    decide(db, reopened, "REOPEN", None, 7, 8)
    refresh(db)
    several = State(category="D", reason="SEVERAL_SCOUTS", conflict="SEVERAL_SCOUTS")
    decided = State(category="D", reason="DECIDED_NO_SCOUT")
    assert look(db).states == {
        assigned: State(scout=7),
        none: decided,
        reopened: several,
        left: several,
    }
    with db.transaction(ADMIN) as conn:
        for person in (assigned, none):
            factories.payment(conn, person=person, scout=8)
    assert look(db).states[assigned] == State(scout=7)
    with db.transaction(ADMIN) as conn:
        for person in (assigned, none):
            factories.payment(conn, person=person, scout=9)
    refresh(db)
    seen = look(db)
    assert seen.states[assigned] == State(scout=7, conflict="NEW_EVIDENCE")
    assert seen.states[none] == State(
        category="D", reason="DECIDED_NO_SCOUT", conflict="NEW_EVIDENCE"
    )
    assert seen.row_of(CONFLICTS, person_key=assigned)["scout_ids"] == [7, 8, 9]
    # erased by hand: the decision is over, the rules apply again
    write(db, "delete from observational.lead_ledger where person_key = :p", p=assigned)
    assert look(db).states[assigned] == several
    external = "select old_attributed_scout_id from ops.lead_ledger_scout_backfill_audit"
    assert rows(db, f"{external} where backfill_method = 'EXTERNAL_CHANGE'") == [(7,)]


def test_assigning_a_scout_that_no_evidence_names_is_no_conflict_by_itself(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        factories.lead_event(conn, person=ana, scout=7)
    decide(db, ana, "ASSIGN", 5, 7)
    refresh(db)
    assert look(db).states == {ana: State(scout=5)}
    with db.transaction(ADMIN) as conn:
        factories.payment(conn, person=ana, scout=5)
    assert look(db).states == {ana: State(scout=5)}
