"""One person explained in words: who wrote the scout, why there is none, what to do."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from scout_core.attribution import persons
from scout_core.attribution.persons import Explanation
from scout_core.db.database import ADMIN, LOOK, Database
from scout_core.errors import NotFound
from tests.support import factories
from tests.support.looking import installed, look, refresh, rows, write

SCOUTING = "module_ct_scouting_daily"
DECIDE = (
    "insert into scout.decisions (person_key, outcome, scout_id, considered_scout_ids,"
    " reason_code, note, actor) values (:p, :outcome, :scout, '{7}', 'TEST', 'by a test', 'eva')"
)


def explained(db: Database, person: UUID) -> Explanation:
    with db.transaction(LOOK) as conn:
        return persons.explain(conn, str(person))


# name of the person -> verdict, a part of why, a part of what next
WITHOUT = {
    "decided": ("D, DECIDED_NO_SCOUT", "somebody decided", "Nothing, unless new evidence"),
    "held": ("D, HELD_AFTER_UNDO", "held since a run was undone", "Release the hold"),
    "several": ("D, SEVERAL_SCOUTS", "the events name several scouts", "Decide the conflict"),
    "disagrees": ("D, OTHER_SOURCE_DISAGREES", "another source names another", "Decide"),
    "unreadable D": ("D, UNREADABLE_SCOUT", "cannot be read", "Correct the value in the source"),
    "unreadable A": ("A, UNREADABLE_SCOUT", "cannot be read", "Correct the value in the source"),
    "unknown": ("D, UNKNOWN_SCOUT", "not in the list of scouts", "Add the scout to the list"),
    "waiting": ("D, WAITING_FOR_NEXT_RUN", "nothing is in the way", "the next run writes it"),
    "elsewhere A": ("A, SCOUT_ONLY_IN_OTHER_SOURCE", "only another source", "assign by hand"),
    "elsewhere C": ("C, SCOUT_ONLY_IN_OTHER_SOURCE", "only another source", "assign by hand"),
    "silent": ("A, EVENTS_WITHOUT_SCOUT", "none names a scout", "Complete the scout"),
    "legacy": ("C, NO_EVENTS", "no events at all", "Nothing: a driver from before"),
    "decided A": ("A, DECIDED_NO_SCOUT", "somebody decided", "Nothing, unless new evidence"),
    "decided C": ("C, DECIDED_NO_SCOUT", "somebody decided", "Nothing, unless new evidence"),
}


@pytest.fixture(scope="module")
def people(server_url: str) -> Iterator[tuple[Database, dict[str, UUID]]]:
    """One person for each reason, after a run that did not know of `waiting` yet."""
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            p = {name: factories.person(conn) for name in WITHOUT}
            factories.scout_listed(conn, 7)
            factories.scout_listed(conn, 8)
            named = ("decided", "held", "several", "disagrees", "unreadable D")
            for name in named:
                factories.lead_event(conn, person=p[name], scout=7)
            factories.lead_event(conn, person=p["several"], scout=8)
            factories.payment(conn, person=p["disagrees"], scout=8)
            for name in ("unreadable D", "unreadable A"):
                factories.lead_event(conn, person=p[name], payload={"scout_id": "abc"})
            factories.lead_event(conn, person=p["unknown"], scout=9)
            for name in ("elsewhere A", "silent", "decided A"):
                factories.lead_event(conn, person=p[name])
            for name in ("elsewhere A", "elsewhere C"):
                factories.payment(conn, person=p[name], scout=7)
            for name in ("decided", "decided A", "decided C"):
                values = {"p": p[name], "outcome": "NO_SCOUT", "scout": None}
                conn.execute(text(DECIDE), values)
            conn.execute(
                text("insert into scout.holds (subject, person_key, reason, actor)"
                     " values ('person', :p, 'undone', 'eva')"),
                {"p": p["held"]},
            )  # fmt: skip
        refresh(db)
        with db.transaction(ADMIN) as conn:
            factories.lead_event(conn, person=p["waiting"], scout=7)
        yield db, p


@pytest.mark.parametrize("name", WITHOUT)
def test_person_without_scout_is_told_why_and_what_next(
    people: tuple[Database, dict[str, UUID]], name: str
) -> None:
    db, known = people
    verdict, why, next_action = WITHOUT[name]
    told = explained(db, known[name])
    assert told.verdict == f"No scout (category {verdict})"
    assert why in told.why
    assert next_action in told.next_action
    assert told.ledger_audit == []


def test_every_reason_there_is_has_its_sentence(people: tuple[Database, dict[str, UUID]]) -> None:
    db, _ = people
    shown = {row["reason_code"] for row in look(db).views["v_persons_without_scout_categorized"]}
    assert shown == set(persons.REASONS)
    todo = rows(db, "select reason_code, next_action from ops.v_persons_without_scout_categorized")
    assert all(sentence for _, sentence in todo)


def test_what_stands_in_the_way_is_listed(people: tuple[Database, dict[str, UUID]]) -> None:
    db, p = people
    held = explained(db, p["held"])
    assert [(h["reason"], h["actor"]) for h in held.holds] == [("undone", "eva")]
    decided = explained(db, p["decided"])
    assert [(d["outcome"], d["actor"]) for d in decided.decisions] == [("NO_SCOUT", "eva")]
    bad = explained(db, p["unreadable D"])
    assert [(i["rule"], i["raw_excerpt"]) for i in bad.issues] == [("UNREADABLE_SCOUT", "abc")]
    assert [e["scout_id"] for e in bad.evidence] == [7]
    silent = explained(db, p["silent"])
    assert (silent.evidence, silent.issues, silent.holds, silent.decisions) == ([], [], [], [])


def test_evidence_is_in_time_order_from_every_source(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana, luis = factories.person(conn), factories.person(conn)
        factories.lead_event(conn, person=ana, scout=7, on="2026-03-03")
        factories.payment(conn, person=ana, scout=7, on="2026-03-01")
        factories.lead_event(conn, person=ana, scout=7, on="infinity")
        factories.lead_event(conn, person=luis, scout=8, on="2026-03-02")
        row = factories.scouting_row(conn, scout=7, phone="999888777", on="2026-03-02")
        factories.link(conn, person=ana, table=SCOUTING, pk=row)
    told = explained(db, ana)
    days = [str(e["attribution_date"]) for e in told.evidence]
    assert days == ["None", "2026-03-01", "2026-03-02", "2026-03-03"]
    assert {e["scout_id"] for e in told.evidence} == {7}
    assert "999888777" not in str(told)


def test_scout_is_told_with_who_wrote_it(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ours, hand, before, decided, undone = (factories.person(conn) for _ in range(5))
        factories.lead_event(conn, person=ours, scout=7)
        conn.execute(text("set local session_replication_role = replica"))
        factories.ledger(conn, person=before, scout=7)
    write(db, "insert into observational.lead_ledger (person_key, attributed_scout_id,"
              " attribution_score, confidence_level, decision_status) values"
              " (:p, 7, 1, 'high', 'assigned')", p=hand)  # fmt: skip
    with db.transaction(ADMIN) as conn:
        conn.execute(text("select set_config('scout.run_id', '0', true)"))
        for person, method in ((decided, "MANUAL_DECISION"), (undone, "REVERT")):
            factories.ledger(conn, person=person, scout=7)
            conn.execute(
                text("insert into ops.lead_ledger_scout_backfill_audit (person_key, actor,"
                     " new_attributed_scout_id, backfill_method, ingestion_run_id, is_new_row)"
                     " values (:p, 'eva', 7, :method, 41, true)"),
                {"p": person, "method": method},
            )  # fmt: skip
    run = refresh(db).run_id
    (login,) = rows(db, "select session_user::text")
    why = {person: explained(db, person).why for person in (ours, hand, before, decided, undone)}
    assert why == {
        ours: f"run {run} wrote it: all evidence named this scout",
        hand: f"{login[0]} wrote it with SQL",
        before: "the ledger had it before this product was there",
        decided: "eva decided it",
        undone: "an undo restored it (run 41)",
    }
    told = explained(db, ours)
    assert (told.verdict, told.next_action) == ("Scout 7", "Nothing: the person is attributed.")
    assert [(a["new_attributed_scout_id"], a["run_id"]) for a in told.ledger_audit] == [(7, run)]
    assert explained(db, before).ledger_audit == []


def test_conflict_with_the_ledger_is_told(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        factories.lead_event(conn, person=ana, scout=7)
    refresh(db)
    with db.transaction(ADMIN) as conn:
        later = datetime.now(UTC) + timedelta(minutes=1)
        factories.lead_event(conn, person=ana, scout=8, created_at=later)
    told = explained(db, ana)
    assert told.verdict == "Scout 7, in conflict (CONTRADICTS_LEDGER)"
    assert told.why.endswith("; the evidence names another scout than the ledger")
    assert told.next_action == "Decide the conflict."
    with db.transaction(ADMIN) as conn:
        values = {"p": ana, "outcome": "ASSIGN", "scout": 7}
        conn.execute(text(DECIDE), values)
    told = explained(db, ana)
    assert told.verdict == "Scout 7, in conflict (NEW_EVIDENCE)"
    assert told.why.endswith("; evidence names a scout that the decision did not consider")


def test_links_made_by_a_run_are_told(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        row = factories.scouting_row(conn, scout=7, phone="999888777")
    run = refresh(db).run_id
    ((person,),) = rows(db, "select person_key from canon.identity_registry")
    (link,) = explained(db, person).link_audit
    assert (link["action_type"], link["match_method"], link["source_pk"], link["run_id"]) == (
        "CREATED",
        "BACKFILL_NEW_PERSON",
        str(row),
        run,
    )


@pytest.mark.parametrize("key", ["", "x", "1; drop table x", "é" * 99, "00000000-0000-0000-0000"])
def test_key_that_is_no_key_is_one_sentence(db: Database, key: str) -> None:
    with db.transaction(LOOK) as conn, pytest.raises(NotFound, match="is no person key"):
        persons.explain(conn, key)


def test_unknown_key_is_one_sentence_and_forms_of_a_key_are_one(db: Database) -> None:
    unknown = str(uuid4())
    with db.transaction(LOOK) as conn, pytest.raises(NotFound, match=f"under {unknown}"):
        persons.explain(conn, unknown)
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
    with db.transaction(LOOK) as conn:
        for form in (str(ana), str(ana).upper(), ana.hex, f"{{{ana}}}"):
            assert persons.explain(conn, form).state["person_key"] == str(ana)
