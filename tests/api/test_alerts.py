"""Alerts by the API: the list, the life of one, and what is said about it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.test_problems import problem
from tests.support.job import refresh, rows, story
from tests.support.state import fingerprint

BASE = "scouts/attribution/alerts"
REASON = "the supervisor has the list"
TABLES = ("scout.alerts", "scout.alert_events")


@pytest.fixture
def told(ask, db, db_url):
    """The API on a database after one run, which opened alerts."""
    story(db_url)
    refresh(db)
    return ask.be("analyst")


def until(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def test_alert_is_acknowledged_muted_told_and_open_again(told, db_url):
    (conflict,) = told.get(BASE, rule="NEW_CONFLICT").json()["items"]
    place = f"{BASE}/{conflict['alert_id']}"
    head = {"Idempotency-Key": "a-1"}
    done = told.post(f"{place}/ack", json={"reason": REASON}, headers=head).json()
    assert (done["status"], done["actor"]) == ("ACKNOWLEDGED", "analyst of the tests")
    assert told.post(f"{place}/ack", json={"reason": REASON}, headers=head).json() == done
    answer = problem(told.post(f"{place}/ack", json={"reason": REASON}), 409)
    assert answer["type"] == "urn:scout:problem:changed-meanwhile"
    sent = {"reason": REASON, "until": until(3)}
    assert told.post(f"{place}/mute", json=sent).json()["status"] == "MUTED"
    (mute,) = told.get(BASE, status="MUTED").json()["items"]
    assert (mute["alert_id"], mute["reason"]) == (conflict["alert_id"], REASON)
    # it still stands
    assert told.get(BASE, rule="NEW_CONFLICT").json()["pagination"]["total"] == 1
    assert told.post(f"{place}/unmute", json={"reason": REASON}).json()["status"] == "OPEN"
    life = told.get(place).json()
    assert [e["event"] for e in life["events"]] == ["UNMUTED", "MUTED", "ACKNOWLEDGED", "OPENED"]
    person = told.get(f"scouts/attribution/persons/{conflict['person_key']}").json()
    assert [a["alert_id"] for a in person["alerts"]] == [conflict["alert_id"]]
    assert told.written == 4
    others = "select count(*) from scout.alert_events where event <> 'OPENED' and alert_id <> "
    assert rows(db_url, others + str(conflict["alert_id"])) == [(0,)]


def test_what_cannot_be_is_refused_and_leaves_nothing(told, db_url):
    number = rows(db_url, "select min(alert_id) from scout.alerts")[0][0]
    before = fingerprint(db_url, *TABLES)
    for sent in (
        {"reason": REASON},
        {"reason": REASON, "until": "2026-12-01T08:00:00"},
        {"reason": REASON, "until": until(-1)},
        {"reason": REASON, "until": until(91)},
        {"reason": "short", "until": until(1)},
    ):
        problem(told.post(f"{BASE}/{number}/mute", json=sent), 422)
    problem(told.post(f"{BASE}/999999/ack", json={"reason": REASON}), 404)
    problem(told.get(f"{BASE}/999999"), 404)
    for wrong in (
        {"status": "GONE"},
        {"severity": "BAD"},
        {"sort": "odd"},
        {"sort": "worst", "status": "MUTED"},
        {"more": 1},
    ):
        problem(told.get(BASE, **wrong), 422)
    problem(told.be("viewer").post(f"{BASE}/{number}/ack", json={"reason": REASON}), 403)
    assert fingerprint(db_url, *TABLES) == before
