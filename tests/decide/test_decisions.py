"""Decisions: what they write, what they refuse, what stands, and what comes back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from scout_core.access.permissions import Actor
from scout_core.attribution import conflicts
from scout_core.attribution import fingerprint as evidence
from scout_core.db.database import LOOK, Database
from scout_core.decide import decisions
from scout_core.decide.decisions import DecisionResult
from scout_core.errors import BadInput, ChangedMeanwhile, NotFound, PermissionDenied, Refused
from tests.support import factories as new
from tests.support.job import (
    OPERATOR,
    at_point,
    broken,
    do,
    key,
    refresh,
    rows,
    run_states,
    scouts,
    story,
    value,
    writing,
)
from tests.support.state import fingerprint

ANALYST = Actor("luz", "analyst")
NOTE = "called both, the first one registered him"
CARLA, DORA = key("carla"), key("dora")


def seen(db: Database, person: UUID) -> str:
    with db.transaction(LOOK) as conn:
        return evidence.seen_of(conn, [str(person)])[str(person)]


def decide(db: Database, person: UUID, scout: int | None = None, **how) -> DecisionResult:
    given = {
        "actor": ANALYST,
        "outcome": "NO_SCOUT" if scout is None else "ASSIGN",
        "reason_code": "OTHER",
        "note": NOTE,
        "seen": how.pop("seen", None) or seen(db, person),
    }
    return decisions.decide(db, person_key=str(person), scout_id=scout, **given | how)


def reopen(db: Database, person: UUID, **how) -> DecisionResult:
    return decide(db, person, outcome="REOPEN", **how)


def kinds(db: Database) -> dict[str, str]:
    with db.transaction(LOOK) as conn:
        return {c.person_key: c.conflict_kind for c in conflicts.list_open(conn).rows}


def ledger_row(url: str, person: UUID) -> tuple | None:
    found = rows(url, "select * from observational.lead_ledger where person_key = :k", k=person)
    return found[0] if found else None


def test_assigned_scout_is_in_the_ledger_with_its_audit_and_the_conflict_is_gone(db, db_url):
    story(db_url)
    refresh(db)
    others = {k: v for k, v in scouts(db_url).items() if k != CARLA}
    assert kinds(db) == {str(CARLA): "SEVERAL_SCOUTS"}
    result = decide(db, CARLA, 9, reason_code="FIRST_TO_REGISTER")
    assert scouts(db_url) == {**others, CARLA: 9}
    assert kinds(db) == {}
    assert rows(
        db_url,
        "select old_attributed_scout_id, new_attributed_scout_id, backfill_method, is_new_row,"
        " ingestion_run_id, actor, notes from ops.lead_ledger_scout_backfill_audit"
        " where person_key = :k",
        k=CARLA,
    ) == [(None, 9, "MANUAL_DECISION", True, result.run_id, "luz", "decision 1: FIRST_TO_REGISTER")]
    assert rows(
        db_url,
        "select outcome, scout_id, considered_scout_ids, reason_code, note, actor, run_id,"
        " ledger_scout_id_before from scout.decisions",
    ) == [("ASSIGN", 9, [7, 9], "FIRST_TO_REGISTER", NOTE, "luz", result.run_id, None)]
    assert broken(db) == {}


def test_job_never_writes_over_a_decision(db, db_url):
    story(db_url)
    decide(db, key("ana"))
    decide(db, CARLA, 9)
    refresh(db)
    assert (scouts(db_url)[key("ana")], scouts(db_url)[CARLA]) == (None, 9)
    assert scouts(db_url)[key("beto")] == 8
    assert broken(db) == {}


def test_new_evidence_asks_again_and_evidence_that_was_considered_does_not(db, db_url):
    story(db_url)
    decide(db, CARLA, 9)
    with writing(db_url) as conn:
        new.lead_event(conn, person=CARLA, scout=7)
    assert kinds(db) == {}
    with writing(db_url) as conn:
        new.lead_event(conn, person=CARLA, scout=11)
    assert kinds(db) == {str(CARLA): "NEW_EVIDENCE"}
    decide(db, CARLA, 9)
    assert kinds(db) == {}
    # the ledger said 9 already: nothing was written there
    assert len(rows(db_url, "select from ops.lead_ledger_scout_backfill_audit")) == 2
    assert broken(db) == {}


def test_stale_decision_is_refused_with_the_new_evidence(db, db_url):
    story(db_url)
    on_screen = seen(db, CARLA)
    with writing(db_url) as conn:
        new.lead_event(conn, person=CARLA, scout=11)
    before = fingerprint(db_url)
    with pytest.raises(ChangedMeanwhile) as refused:
        decide(db, CARLA, 9, seen=on_screen)
    assert refused.value.exit_code == 3
    assert refused.value.facts["scout_ids"] == (7, 9, 11)
    assert refused.value.facts["seen"] == seen(db, CARLA)
    assert {row["scout_id"] for row in refused.value.facts["evidence"]} == {7, 9, 11}
    assert fingerprint(db_url) == before


def test_evidence_that_comes_after_the_lock_is_seen_too(db, db_url, monkeypatch):
    story(db_url)

    def arrives() -> None:
        with writing(db_url) as conn:
            new.lead_event(conn, person=CARLA, scout=11)

    at_point(monkeypatch, "before decision", arrives)
    with pytest.raises(ChangedMeanwhile):
        decide(db, CARLA, 9)
    assert CARLA not in scouts(db_url)
    assert rows(db_url, "select from scout.decisions") == []
    assert [status for status, _ in run_states(db_url)] == ["FAILED"]
    assert broken(db) == {}


def test_reopened_decision_gives_the_ledger_back_what_it_had(db, db_url):
    story(db_url)
    with writing(db_url) as conn:
        new.lead_event(conn, person=DORA, scout=6, created_at=new.TIME + timedelta(days=9999))
    before = ledger_row(db_url, DORA)
    assert kinds(db)[str(DORA)] == "CONTRADICTS_LEDGER"
    decide(db, DORA, 6)
    decide(db, CARLA, 9)
    assert scouts(db_url)[DORA] == 6
    reopen(db, DORA)
    reopen(db, CARLA)
    assert ledger_row(db_url, DORA) == before
    assert ledger_row(db_url, CARLA) is None
    assert kinds(db) == {str(CARLA): "SEVERAL_SCOUTS", str(DORA): "CONTRADICTS_LEDGER"}
    with pytest.raises(Refused, match="nothing to reopen"):
        reopen(db, DORA)
    assert broken(db) == {}


def test_row_that_somebody_extended_stays_without_scout_when_reopened(db, db_url):
    story(db_url)
    decide(db, CARLA, 9)
    do(
        db_url,
        "update observational.lead_ledger set evidence_json = '{\"a\": 1}'"
        f" where person_key = '{CARLA}'",
    )
    reopen(db, CARLA)
    assert rows(
        db_url,
        "select attributed_scout_id, decision_status::text, evidence_json from"
        " observational.lead_ledger where person_key = :k",
        k=CARLA,
    ) == [(None, "unassigned", {"a": 1})]
    assert broken(db) == {}


def test_change_with_sql_ends_a_decision_and_is_recorded(db, db_url):
    story(db_url)
    decide(db, CARLA, 9)
    do(
        db_url,
        "update observational.lead_ledger set attributed_scout_id = 7"
        f" where person_key = '{CARLA}'",
    )
    assert value(db_url, "select count(*) from scout.v_decisions_in_force") == 0
    with pytest.raises(Refused, match="nothing to reopen"):
        reopen(db, CARLA)
    assert scouts(db_url)[CARLA] == 7
    assert broken(db) == {}


def test_scout_whom_no_evidence_names_wants_a_stronger_reason_and_to_be_known(db, db_url):
    story(db_url)
    with writing(db_url) as conn:
        new.scout_listed(conn, 30)
    with pytest.raises(BadInput, match="No evidence"):
        decide(db, CARLA, 30)
    with pytest.raises(BadInput, match="not in the list"):
        decide(db, CARLA, 31, reason_code="DOCUMENT_SHOWN")
    decide(db, CARLA, 30, reason_code="DOCUMENT_SHOWN")
    assert scouts(db_url)[CARLA] == 30
    assert kinds(db) == {}


@pytest.mark.parametrize(
    "note", ["", "   ", "too short", "  123456789  ", "x" * 1001, "nul \0 in here"]
)
def test_note_outside_10_to_1000_characters_is_refused(db, db_url, note):
    story(db_url)
    with pytest.raises(BadInput, match="note"):
        decide(db, CARLA, 9, note=note)
    assert run_states(db_url) == []


def test_what_cannot_be_decided_is_refused_and_leaves_nothing(db, db_url):
    story(db_url)
    before = fingerprint(db_url)
    for how in (
        {"outcome": "MAYBE"},
        {"reason_code": "BECAUSE"},
        {"reason_code": "CAME_ALONE"},
        {"reason_code": "UNDONE"},
        {"outcome": "NO_SCOUT", "scout": 7},
        {"seen": "x" * 32},
    ):
        with pytest.raises(BadInput):
            decide(db, CARLA, **{"scout": 9} | how)
    with pytest.raises(NotFound):
        decide(db, key("nobody"), 9, seen="0" * 32)
    with pytest.raises(PermissionDenied):
        decide(db, CARLA, 9, actor=Actor("vera", "viewer"))
    assert fingerprint(db_url) == before


def test_same_request_twice_is_one_decision_and_two_equal_answers(db, db_url):
    story(db_url)
    on_screen = seen(db, CARLA)
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(lambda _: decide(db, CARLA, 9, seen=on_screen, request_id="r-1"), range(4))
        )
    assert len({(a.run_id, a.decided) for a in answers}) == 1
    assert value(db_url, "select count(*) from scout.decisions") == 1
    assert len(run_states(db_url)) == 1


def test_decision_waits_for_no_refresh(db, db_url, monkeypatch):
    story(db_url)
    at_point(monkeypatch, "mid work", lambda: decide(db, CARLA, 9))
    refresh(db)
    assert scouts(db_url)[CARLA] == 9
    assert [status for status, _ in run_states(db_url)] == ["COMPLETED", "COMPLETED"]
    assert broken(db) == {}


def test_person_who_was_paid_for_is_a_warning_and_no_obstacle(db, db_url):
    story(db_url)
    do(
        db_url,
        "create table ops.scout_liquidation_ledger (person_key uuid, scout_id integer,"
        " milestone_value integer, amount numeric(12,2), paid_at timestamptz)",
        f"insert into ops.scout_liquidation_ledger values ('{CARLA}', 7, 1, 25, now())",
    )
    from scout_core.install import init
    from tests.support.job import settings

    init.init(db, settings(), report=lambda _: None)
    with db.transaction(LOOK) as conn:
        assert decisions.preview(conn, str(CARLA), outcome="NO_SCOUT").paid_pen == 25
    assert decide(db, CARLA).paid == {str(CARLA): 25}
    assert decide(db, key("ana")).paid == {}


def test_many_at_once_are_one_run_and_those_that_do_not_qualify_are_named(db, db_url):
    story(db_url)
    story(db_url, tag="2")
    carlas = [str(key("carla")), str(key("carla2"))]
    with db.transaction(LOOK) as conn:
        found = decisions.preview_many(
            conn, [*carlas, str(key("ana")), str(key("nobody"))], outcome="ASSIGN", scout_id=9
        )
    assert [c.why_not for c in found] == [None, None, "NO_OPEN_CONFLICT", "NOT_REGISTERED"]
    persons = {c.person_key: c.seen for c in found if c.seen}
    with writing(db_url) as conn:
        new.lead_event(conn, person=key("carla2"), scout=12)
    result = decisions.decide_many(
        db,
        actor=ANALYST,
        persons=persons,
        outcome="ASSIGN",
        scout_id=9,
        reason_code="OTHER",
        note=NOTE,
    )
    assert [d.person_key for d in result.decided] == [carlas[0]]
    assert result.skipped == {carlas[1]: "CHANGED_MEANWHILE", str(key("ana")): "NO_OPEN_CONFLICT"}
    assert scouts(db_url)[key("carla")] == 9
    assert key("carla2") not in scouts(db_url)
    with pytest.raises(Refused, match="None of the"):
        decisions.decide_many(
            db,
            actor=ANALYST,
            persons=persons,
            outcome="NO_SCOUT",
            reason_code="OTHER",
            note=NOTE,
        )
    assert broken(db) == {}


def race(db: Database, url: str, pairs: int, threads: int) -> None:
    """Two analysts on each of many conflicts at once: one wins, the other is told."""
    persons = [key(f"pair {n}") for n in range(pairs)]
    with writing(url) as conn:
        for person in persons:
            new.person(conn, key=person)
            new.lead_event(conn, person=person, scout=7)
            new.lead_event(conn, person=person, scout=9)
    on_screen = {person: seen(db, person) for person in persons}

    def attempt(task: tuple[UUID, int]) -> str:
        person, scout = task
        try:
            decide(db, person, scout, seen=on_screen[person], actor=Actor(f"a{scout}", "analyst"))
        except ChangedMeanwhile as exc:
            return "told" if exc.facts["ledger_scout_id"] == 16 - scout else "told wrongly"
        return "won"

    tasks = [(person, scout) for person in persons for scout in (7, 9)]
    with ThreadPoolExecutor(threads) as pool:
        outcomes = list(pool.map(attempt, tasks))
    assert [sorted(outcomes[n : n + 2]) for n in range(0, len(tasks), 2)] == [
        ["told", "won"]
    ] * pairs
    assert value(url, "select count(*) from scout.decisions") == pairs
    assert broken(db) == {}


def test_two_analysts_on_one_conflict_one_wins_and_one_is_told(db, db_url):
    race(db, db_url, pairs=4, threads=4)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_analysts_on_each_of_200_conflicts(db, db_url):
    race(db, db_url, pairs=200, threads=8)


def test_operator_may_decide_too(db, db_url):
    story(db_url)
    assert decide(db, CARLA, 9, actor=OPERATOR).decided[0].person_key == str(CARLA)
