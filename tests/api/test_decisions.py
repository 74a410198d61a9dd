"""Decisions, undo, holds and review by the API: the same as the library, with its refusals."""

import pytest

from scout_core.attribution.fingerprint import seen_of
from scout_core.db.database import LOOK
from tests.api.test_problems import problem
from tests.support import factories as new
from tests.support.job import broken, key, refresh, rows, scouts, story, writing
from tests.support.state import fingerprint

BASE = "scouts/attribution"
CARLA = str(key("carla"))
NOTE = "called both, the first one registered him"


@pytest.fixture
def told(ask, db, db_url):
    """The API on a database after one run, with one open conflict."""
    story(db_url)
    refresh(db)
    return ask


def body(ask, **more):
    (conflict,) = ask.get(f"{BASE}/conflicts").json()["items"]
    given = {"outcome": "ASSIGN", "scout_id": 9, "reason_code": "OTHER", "note": NOTE}
    return {**given, "seen": conflict["seen"], **more}


def test_conflict_is_decided_explained_undone_and_back(told, db, db_url):
    ask = told.be("analyst")
    sent = body(ask)
    place = f"{BASE}/conflicts/{CARLA}/decision"
    head = {"Idempotency-Key": "d-1"}
    done = ask.post(place, json=sent, headers=head).json()
    assert (done["scout_id"], done["is_ledger_changed"], done["paid_pen"]) == (9, True, None)
    assert ask.post(place, json=sent, headers=head).json() == done
    assert scouts(db_url)[key("carla")] == 9
    assert ask.get(f"{BASE}/conflicts").json()["items"] == []
    person = ask.get(f"{BASE}/persons/{CARLA}").json()
    assert person["runs"] == [done["run_id"]]
    with db.transaction(LOOK) as conn:
        assert person["seen"] == seen_of(conn, [CARLA])[CARLA]
    undo = f"{BASE}/runs/{done['run_id']}/undo"
    assert ask.get(undo).json()["counts"] == {"LEDGER": {"UNDO": 1}}
    problem(ask.post(undo, json={"reason": NOTE}), 403)
    undone = ask.be("operator").post(undo, json={"reason": NOTE}).json()
    assert (undone["undone"], undone["is_partial"], undone["held_persons"]) == (1, False, 1)
    problem(ask.post(undo, json={"reason": NOTE}), 409)
    assert len(ask.get(f"{BASE}/conflicts").json()["items"]) == 1
    (hold,) = ask.get(f"{BASE}/holds").json()["items"]
    release = f"{BASE}/holds/{hold['hold_id']}/release"
    assert ask.post(release, json={"reason": NOTE}).json()["hold_ids"] == [hold["hold_id"]]
    assert ask.get(f"{BASE}/holds").json()["items"] == []
    assert ask.written == 4
    assert broken(db) == {}


def test_stale_decision_is_answered_with_the_new_evidence(told, db_url):
    sent = body(told)
    with writing(db_url) as conn:
        new.lead_event(conn, person=key("carla"), scout=11)
    answer = problem(told.post(f"{BASE}/conflicts/{CARLA}/decision", json=sent), 409)
    assert answer["type"] == "urn:scout:problem:changed-meanwhile"
    assert answer["scout_ids"] == [7, 9, 11]
    assert {row["scout_id"] for row in answer["evidence"]} == {7, 9, 11}
    assert answer["seen"] == body(told)["seen"]


def test_what_cannot_be_is_refused_and_leaves_nothing(told, db_url):
    place = f"{BASE}/conflicts/{CARLA}/decision"
    before = fingerprint(db_url)
    for wrong in (
        {"outcome": "MAYBE"},
        {"note": "short"},
        {"reason_code": "BECAUSE"},
        {"seen": "x"},
        {"scout_id": 31},
        {"scout_id": None},
        {"more": 1},
    ):
        problem(told.post(place, json=body(told, **wrong)), 422)
    for path in ("runs/999/undo", "holds/999/release"):
        problem(told.post(f"{BASE}/{path}", json={"reason": NOTE}), 404)
    problem(told.post(f"{BASE}/review/1", json={"reason": NOTE, "act": "link"}), 422)
    assert fingerprint(db_url) == before
    problem(told.be("viewer").post(place, json=body(told)), 403)
    assert key("carla") not in scouts(db_url)


def test_row_is_reviewed(told, db, db_url):
    (row,) = told.get(f"{BASE}/review").json()["items"]
    pk = row["source_pk"]
    assert told.get(f"{BASE}/review/{pk}").json()["reason_code"] == row["reason_code"]
    sent = {"act": "link", "person_key": str(key("eva")), "reason": NOTE}
    done = told.be("analyst").post(f"{BASE}/review/{pk}", json=sent).json()
    assert (done["act"], done["person_key"]) == ("LINKED", str(key("eva")))
    problem(told.post(f"{BASE}/review/{pk}", json=sent), 409)
    assert told.get(f"{BASE}/review").json()["items"] == []
    assert rows(
        db_url, "select person_key from canon.identity_links where source_pk = :pk", pk=pk
    ) == [(key("eva"),)]
    assert broken(db) == {}
    problem(told.post(f"{BASE}/review/{pk}", json={**sent, "act": "move"}), 409)
    moved = {**sent, "act": "move", "person_key": str(key("carla"))}
    done = told.post(f"{BASE}/review/{pk}", json=moved).json()
    assert (done["act"], done["person_key"]) == ("MOVED", str(key("carla")))
    assert told.get(f"{BASE}/review/{pk}").json()["person_key"] == str(key("carla"))
    problem(told.post(f"{BASE}/review/{pk}", json={"act": "move", "reason": NOTE}), 422)
    assert broken(db) == {}
