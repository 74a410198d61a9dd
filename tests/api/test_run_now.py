"""Run-now of the API: one run a request, refused beside another, and not too often."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.runs import STARTS
from scout_core.job import run_now
from tests.api.test_problems import problem
from tests.support.job import at_point, rows, story

PATH = "scouts/attribution/run-now"
RUNS = "select run_id, trigger, actor, request_id from scout.runs order by run_id"


def job_of(request_key):
    """The run that this process began under a key."""
    return next(job for name, job in run_now._jobs.items() if name.startswith(f"{request_key}@"))


@pytest.fixture
def gate(monkeypatch):
    """Every run waits in the middle of its work until it is set."""
    opened = threading.Event()
    at_point(monkeypatch, "mid work", lambda: opened.wait(30), times=9)
    yield opened
    opened.set()


def test_run_now_answers_at_once_with_where_to_look(ask, db_url, gate):
    story(db_url)
    answer = ask.be("operator").post(PATH, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 202
    assert answer.json()["run_id"] == rows(db_url, RUNS)[0][0]
    assert answer.headers["location"] == answer.json()["status_url"]
    told = ask.client.get(answer.headers["location"])
    assert told.json()["run"]["status"] == "RUNNING"
    assert rows(db_url, RUNS)[0][1:3] == ("api", "operator of the tests")
    assert rows(db_url, RUNS)[0][3].startswith("one@")
    gate.set()
    job_of("one").ended.wait(30)
    assert ask.client.get(answer.headers["location"]).json()["run"]["status"] == "COMPLETED"
    assert ask.written == 1


def test_same_request_sent_many_times_is_one_run_with_equal_answers(ask, db_url):
    story(db_url)
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(
                lambda _: ask.post(PATH, headers={"Idempotency-Key": "many"}).text, range(8)
            )
        )
    job_of("many").ended.wait(30)
    again = ask.post(PATH, headers={"Idempotency-Key": "many"})
    assert (again.status_code, set(answers)) == (202, {again.text})
    run_now._jobs.clear()  # as another process would answer
    assert ask.post(PATH, headers={"Idempotency-Key": "many"}).text == again.text
    assert len(rows(db_url, RUNS)) == 1


def test_run_asked_for_beside_another_is_refused_with_its_number(ask, db_url, gate):
    first = ask.post(PATH).json()["run_id"]
    body = problem(ask.post(PATH), 409)
    assert (body["run_id"], body["type"]) == (first, "urn:scout:problem:run-busy")
    assert len(rows(db_url, RUNS)) == 1


def test_starts_in_a_row_are_limited_for_each_who_asks(ask, db_url, gate):
    for _ in range(STARTS):
        assert ask.post(PATH).status_code in {202, 409}
    answer = ask.post(PATH)
    problem(answer, 429)
    assert 0 < int(answer.headers["retry-after"]) <= 61
    assert ask.be("operator").post(PATH).status_code == 409
    assert len(rows(db_url, RUNS)) == 1


def test_odd_request_id_is_refused_and_starts_nothing(ask, db_url):
    for odd in ("", "a b", "x" * 129, "';--"):
        problem(ask.post(PATH, headers={"Idempotency-Key": odd}), 422)
    assert rows(db_url, RUNS) == []


@pytest.mark.parametrize("role", ["viewer", "analyst"])
def test_role_that_may_not_run_starts_nothing(ask, db_url, role):
    problem(ask.be(role).post(PATH), 403)
    assert rows(db_url, RUNS) == []
