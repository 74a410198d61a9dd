"""Undo: what goes back, what stays and who changed it, what is held, and that it happens once."""

import pytest

from scout_core.access.permissions import Actor
from scout_core.attribution import fingerprint as evidence
from scout_core.db.database import CHECK, LOOK, Database
from scout_core.decide import decisions, holds, undo
from scout_core.decide.undo import UndoPlan, UndoResult
from scout_core.errors import (
    BadInput,
    NotFound,
    NothingToUndo,
    PermissionDenied,
    Refused,
    RunBusy,
)
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

WHY = "the file of Monday was loaded twice"
ANALYST = Actor("luz", "analyst")
STATE = {
    "ledger": "select * from observational.lead_ledger order by person_key",
    "registry": "select * from canon.identity_registry order by person_key",
    "links": "select source_table, source_pk, person_key from canon.identity_links order by 2",
    "conflicts": "select * from ops.v_scout_attribution_conflicts order by person_key",
}


def state(url: str) -> dict[str, list]:
    return {name: rows(url, query) for name, query in STATE.items()}


def preview(db: Database, run_id: int) -> UndoPlan:
    with db.transaction(CHECK) as conn:
        return undo.preview(conn, run_id)


def take_back(db: Database, run_id: int, **how) -> UndoResult:
    return undo.run_undo(db, **{"actor": OPERATOR, "run_id": run_id, "reason": WHY} | how)


def decide(db: Database, name: str, scout: int | None = None, outcome: str | None = None) -> int:
    person = str(key(name))
    with db.transaction(LOOK) as conn:
        seen = evidence.seen_of(conn, [person])[person]
    return decisions.decide(
        db,
        actor=ANALYST,
        person_key=person,
        outcome=outcome or ("NO_SCOUT" if scout is None else "ASSIGN"),
        scout_id=scout,
        reason_code="OTHER",
        note="decided for this test",
        seen=seen,
    ).run_id


def test_undone_run_leaves_everything_as_it_was_before_it(db, db_url):
    story(db_url)
    before = state(db_url)
    run_id = refresh(db).run_id
    assert state(db_url) != before
    plan = preview(db, run_id)
    assert plan.counts == {"LEDGER": {"UNDO": 2}, "LINK": {"UNDO": 3}}
    assert (plan.founded_count, plan.removable_count, plan.is_partial) == (1, 1, False)
    result = take_back(db, run_id)
    assert state(db_url) == before
    assert (result.undone, result.ledger_rows, result.links, result.persons_removed) == (5, 2, 3, 1)
    assert (result.held_persons, result.held_rows) == (2, 3)
    assert not result.is_partial
    assert broken(db) == {}


def test_audit_of_an_undo_names_what_it_takes_back(db, db_url):
    story(db_url)
    run_id = refresh(db).run_id
    undone_by = take_back(db, run_id).run_id
    assert rows(
        db_url,
        "select a.old_attributed_scout_id, a.new_attributed_scout_id, a.actor, b.ingestion_run_id,"
        " b.new_attributed_scout_id, a.evidence_json_new = b.evidence_json_old"
        " from ops.lead_ledger_scout_backfill_audit as a"
        " join ops.lead_ledger_scout_backfill_audit as b"
        " on a.notes = 'reverts audit row ' || b.id || ' of run ' || b.ingestion_run_id"
        " where a.ingestion_run_id = :run and a.backfill_method = 'REVERT' order by 1",
        run=undone_by,
    ) == [(7, None, "olga", run_id, 7, True), (8, None, "olga", run_id, 8, None)]
    assert (
        value(
            db_url,
            "select count(*) from ops.identity_links_backfill_audit"
            " where ingestion_run_id = :run and action_type = 'REVERTED'"
            f" and notes like 'reverts audit row % of run {run_id}'",
            run=undone_by,
        )
        == 3
    )


def test_what_was_undone_is_held_until_released(db, db_url):
    story(db_url)
    first = refresh(db).run_id
    after_first = state(db_url)
    result = take_back(db, first)
    undone = state(db_url)
    refresh(db)
    assert state(db_url) == undone
    assert broken(db) == {}
    with db.transaction(LOOK) as conn:
        page = holds.list_open(conn, run_id=result.run_id)
    assert (page.total, {h.subject for h in page.rows}) == (5, {"person", "source_row"})
    ana = next(h for h in page.rows if h.person_key == str(key("ana")))
    holds.release(db, actor=OPERATOR, hold_id=ana.hold_id, reason="ana is right after all")
    refresh(db)
    assert scouts(db_url) == {key("ana"): 7, key("dora"): 5}
    with pytest.raises(Refused, match="released already"):
        holds.release(db, actor=OPERATOR, hold_id=ana.hold_id, reason="ana is right after all")
    with pytest.raises(PermissionDenied):
        holds.release_of_run(db, actor=ANALYST, run_id=result.run_id, reason=WHY)
    holds.release_of_run(db, actor=OPERATOR, run_id=result.run_id, reason="all is right again")
    refresh(db)
    assert state(db_url)["links"] == after_first["links"]
    assert scouts(db_url) == {key("ana"): 7, key("beto"): 8, key("dora"): 5}
    assert broken(db) == {}


def test_what_somebody_changed_since_stays_and_it_is_told_who(db, db_url):
    story(db_url)
    run_id = refresh(db).run_id
    do(
        db_url,
        "update observational.lead_ledger set attributed_scout_id = 9"
        f" where person_key = '{key('ana')}'",
    )
    decided = decide(db, "beto", 11 - 3)
    do(db_url, "delete from canon.identity_links where source_pk = '1'")
    plan = preview(db, run_id)
    assert plan.counts["LEDGER"] == {"CHANGED_LATER": 1, "UNDO": 1}
    result = take_back(db, run_id)
    assert result.is_partial
    assert (result.undone, result.changed_later) == (3, 2)
    assert scouts(db_url)[key("ana")] == 9
    by = {item.person_key: item for item in result.items}
    assert by[str(key("ana"))].later_method == "EXTERNAL_CHANGE"
    assert by[str(key("ana"))].later_actor is not None
    assert decided
    # the decision for what the run had written ends with it
    assert value(db_url, "select count(*) from scout.v_decisions_in_force") == 0


def test_ledger_row_of_which_anything_changed_stays(db, db_url):
    story(db_url)
    run_id = refresh(db).run_id
    do(
        db_url,
        "update observational.lead_ledger set evidence_json = evidence_json || '{\"mine\": 1}'"
        f" where person_key = '{key('beto')}'",
    )
    result = take_back(db, run_id)
    assert (result.ledger_rows, result.changed_later) == (1, 1)
    assert scouts(db_url)[key("beto")] == 8
    assert scouts(db_url)[key("ana")] is None
    assert broken(db) == {}


def test_run_is_undone_once(db, db_url):
    story(db_url)
    run_id = refresh(db).run_id
    undone_by = take_back(db, run_id, request_id="u-1")
    before = fingerprint(db_url)
    assert take_back(db, run_id, request_id="u-1").run_id == undone_by.run_id
    with pytest.raises(NothingToUndo, match="undone already"):
        take_back(db, run_id)
    with pytest.raises(Refused, match="is an undo"):
        take_back(db, undone_by.run_id)
    assert fingerprint(db_url) == before
    assert preview(db, run_id).total("ALREADY_UNDONE") == 5


def test_what_cannot_be_undone_is_refused_and_leaves_nothing(db, db_url):
    story(db_url)
    refresh(db)
    empty = refresh(db).run_id
    before = fingerprint(db_url)
    with pytest.raises(NothingToUndo, match="nothing to undo"):
        take_back(db, empty)
    with pytest.raises(NotFound):
        take_back(db, 999)
    with pytest.raises(BadInput, match="reason"):
        take_back(db, 1, reason="short")
    with pytest.raises(PermissionDenied):
        take_back(db, 1, actor=ANALYST)
    assert fingerprint(db_url) == before


def test_person_that_somebody_uses_stays(db, db_url):
    story(db_url)
    run_id = refresh(db).run_id
    (founded,) = rows(
        db_url, "select person_key from canon.identity_registry where flags ? 'created_by'"
    )[0]
    with writing(db_url) as conn:
        new.claim(conn, person=founded)
    result = take_back(db, run_id)
    assert (result.persons_removed, result.persons_kept) == (0, 1)
    assert (
        value(
            db_url, "select count(*) from canon.identity_registry where person_key = :k", k=founded
        )
        == 1
    )
    assert broken(db) == {}


def test_person_to_whom_an_unknown_table_refers_stays(db, db_url):
    story(db_url)
    run_id = refresh(db).run_id
    do(
        db_url,
        "create table public.bonuses (person_key uuid references canon.identity_registry)",
        "insert into public.bonuses select person_key from canon.identity_registry"
        " where flags ? 'created_by'",
    )
    assert take_back(db, run_id).persons_kept == 1
    assert broken(db) == {}


def test_undone_decision_gives_back_the_one_before_it(db, db_url):
    story(db_url)
    first = decide(db, "carla", 9)
    with writing(db_url) as conn:
        new.lead_event(conn, person=key("carla"), scout=11)
    after_first = state(db_url)
    assert after_first["conflicts"][0][8] == "NEW_EVIDENCE"
    second = decide(db, "carla", 11)
    assert state(db_url)["conflicts"] == []
    assert preview(db, first).counts == {"LEDGER": {"CHANGED_LATER": 1}}
    take_back(db, second)
    assert state(db_url) == after_first
    decide(db, "carla", outcome="REOPEN")
    assert key("carla") not in scouts(db_url)
    assert broken(db) == {}


def test_undone_reopening_puts_the_decision_in_force_again(db, db_url):
    story(db_url)
    decide(db, "carla", 9)
    after = state(db_url)
    reopening = decide(db, "carla", outcome="REOPEN")
    take_back(db, reopening)
    assert state(db_url) == after
    refresh(db)
    assert scouts(db_url)[key("carla")] == 9
    assert broken(db) == {}


def test_undo_in_batches_that_dies_is_finished_by_another(db, db_url, monkeypatch):
    story(db_url)
    before = state(db_url)
    run_id = refresh(db).run_id

    def die() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        passed = at_point(patched, "before commit", die)
        with pytest.raises(KeyboardInterrupt):
            take_back(db, run_id, max_rows=1)
        assert passed.count("before batch commit") >= 3
    assert run_states(db_url)[-1][0] == "FAILED"
    assert take_back(db, run_id, max_rows=1).already_undone == 5
    assert state(db_url) == before
    assert broken(db) == {}


def test_two_undos_at_once_are_one(db, db_url, monkeypatch):
    story(db_url)
    run_id = refresh(db).run_id
    busy: list[type] = []

    def again() -> None:
        with pytest.raises(RunBusy):
            take_back(db, run_id)
        busy.append(RunBusy)

    at_point(monkeypatch, "after run row", again)
    take_back(db, run_id)
    assert busy
    assert (
        value(
            db_url,
            "select count(*) from ops.lead_ledger_scout_backfill_audit"
            " where backfill_method = 'REVERT'",
        )
        == 2
    )
    assert broken(db) == {}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_undo_of_100_000_rows_takes_seconds(db, db_url):
    do(
        db_url,
        "insert into canon.identity_registry (person_key, confidence_level)"
        " select md5('many ' || n)::uuid, 'HIGH' from generate_series(1, 100000) as n",
        "insert into observational.lead_events (source_table, source_pk, event_date, person_key,"
        " scout_id) select 'x', n::text, '2026-03-02', md5('many ' || n)::uuid, 1 + n % 50"
        " from generate_series(1, 100000) as n",
    )
    run_id = refresh(db).run_id
    assert value(db_url, "select count(*) from observational.lead_ledger") == 100_000
    result = take_back(db, run_id)
    assert (result.undone, result.held_persons) == (100_000, 100_000)
    assert value(db_url, "select count(*) from observational.lead_ledger") == 0
    assert broken(db) == {}
