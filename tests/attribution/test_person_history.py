"""What happened to a person in one order, and the one reason for its state."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from scout_core.attribution import person_history, persons
from scout_core.attribution.person_history import Conclusion, Entry
from scout_core.db.database import ADMIN, LOOK, Database
from tests.support import factories
from tests.support.looking import refresh, write

DECIDE = (
    "insert into scout.decisions (person_key, outcome, scout_id, considered_scout_ids,"
    " reason_code, note, actor) values (:p, 'NO_SCOUT', null, '{7}', 'TEST', 'by a test', 'eva')"
)
HOLD = (
    "insert into scout.holds (subject, person_key, reason, actor, held_at, released_at,"
    " released_by, release_reason) values ('person', :p, 'undone', 'eva', '2026-03-05 15:00Z',"
    " '2026-03-06 15:00Z', 'olga', 'clear now')"
)


def told(db: Database, person: UUID) -> tuple[Conclusion, tuple[Entry, ...]]:
    with db.transaction(LOOK) as conn:
        explanation = persons.explain(conn, str(person))
        entries = person_history.list_entries(conn, explanation)
    return person_history.conclude(explanation), entries


def kinds(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.kind for entry in entries]


def moment(day: int, hour: int = 15) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def test_history_is_newest_first_and_what_has_no_date_is_last(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn, created_at=moment(1))
        luis = factories.person(conn)
        event = factories.lead_event(
            conn, person=ana, scout=7, on="2026-03-03", created_at=moment(3)
        )
        undated = factories.lead_event(
            conn, person=ana, scout=7, on="infinity", created_at="infinity"
        )
        late = factories.lead_event(
            conn, person=ana, scout=7, on="2026-03-02", created_at=moment(9)
        )
        factories.lead_event(conn, person=luis, scout=8)
    write(db, HOLD, p=ana)
    _, entries = told(db, ana)
    assert kinds(entries) == ["RELEASED", "HELD", "EVIDENCE", "EVIDENCE", "REGISTERED", "EVIDENCE"]
    pieces = [e for e in entries if e.kind == "EVIDENCE"]
    assert [e.values["source_pk"] for e in pieces] == [str(event), str(late), str(undated)]
    assert [(e.at, str(e.on)) for e in pieces] == [
        (moment(3), "2026-03-03"),
        (None, "2026-03-02"),
        (None, "None"),
    ]
    assert [e.values["actor"] for e in entries[:2]] == ["olga", "eva"]
    assert not any(e.explains_state for e in entries[:2])


def test_scout_given_by_a_run_is_explained_by_its_ledger_entry(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        factories.lead_event(conn, person=ana, scout=7)
    run = refresh(db).run_id
    conclusion, entries = told(db, ana)
    assert (conclusion.scout_id, conclusion.writer, conclusion.run_id, conclusion.next_code) == (
        7,
        "RUN",
        run,
        "NOTHING",
    )
    (explaining,) = [e for e in entries if e.explains_state]
    assert (explaining.kind, explaining.values["new_scout_id"]) == ("LEDGER_CHANGED", 7)
    assert explaining.values["old_scout_id"] is None


def test_conflict_opens_with_the_evidence_that_names_another_scout(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        factories.lead_event(conn, person=ana, scout=7, on="2026-03-02", created_at=moment(2))
        factories.payment(conn, person=ana, scout=7, on="2026-03-03", created_at="2026-03-03 10:00")
        factories.lead_event(conn, person=ana, scout=9, on="2026-03-04", created_at=moment(4))
        factories.lead_event(conn, person=ana, scout=8, on="2026-03-05", created_at=moment(5))
    conclusion, entries = told(db, ana)
    assert (conclusion.conflict_kind, conclusion.conflict_since) == ("SEVERAL_SCOUTS", moment(4))
    assert (conclusion.scout_ids, conclusion.next_code) == ((7, 8, 9), "DECIDE")
    assert conclusion.is_told_as_conflict
    (opened,) = [e for e in entries if e.kind == "CONFLICT_OPENED"]
    assert opened.explains_state
    assert entries.index(opened) < [e.values.get("scout_id") for e in entries].index(9)


def test_conflict_with_the_ledger_opens_with_what_contradicts_it(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        factories.lead_event(conn, person=ana, scout=7)
    refresh(db)
    later = datetime.now(UTC) + timedelta(minutes=1)
    with db.transaction(ADMIN) as conn:
        factories.lead_event(
            conn, person=ana, scout=8, on=later.date().isoformat(), created_at=later
        )
    conclusion, _ = told(db, ana)
    assert (conclusion.scout_id, conclusion.conflict_kind) == (7, "CONTRADICTS_LEDGER")
    assert (conclusion.writer, conclusion.next_code) == ("RUN", "DECIDE")
    assert conclusion.scout_ids == (7, 8)


def test_decision_explains_until_new_evidence_does(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        factories.lead_event(conn, person=ana, scout=7)
        conn.execute(text(DECIDE), {"p": ana})
    conclusion, entries = told(db, ana)
    assert (conclusion.reason_code, conclusion.conflict_kind) == ("DECIDED_NO_SCOUT", None)
    assert kinds(tuple(e for e in entries if e.explains_state)) == ["DECISION"]
    with db.transaction(ADMIN) as conn:
        factories.lead_event(conn, person=ana, scout=8)
    conclusion, entries = told(db, ana)
    assert (conclusion.conflict_kind, conclusion.is_told_as_conflict) == ("NEW_EVIDENCE", False)
    assert kinds(tuple(e for e in entries if e.explains_state)) == ["CONFLICT_OPENED"]


def test_issue_is_told_when_it_opens_and_when_it_is_mended(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn)
        event = factories.lead_event(conn, person=ana, payload={"scout_id": "abc"})
    first = refresh(db).run_id
    _, entries = told(db, ana)
    (issue,) = [e for e in entries if e.kind == "ISSUE_OPENED"]
    assert issue.explains_state
    assert (issue.values["rule"], issue.values["run_id"]) == ("UNREADABLE_SCOUT", first)
    write(db, "update observational.lead_events set payload_json = null where id = :id", id=event)
    second = refresh(db).run_id
    conclusion, entries = told(db, ana)
    (closed,) = [e for e in entries if e.kind == "ISSUE_CLOSED"]
    assert closed.values["run_id"] == second
    assert not any(e.explains_state for e in entries)
    assert conclusion.next_code == "EVENTS_WITHOUT_SCOUT"
