"""Errors of the API: problem+json, named parameters, nothing that was sent or that is ours."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.exceptions import HTTPException

from api import bodies
from scout_core.db.database import API
from scout_core.errors import DatabaseReadOnly

BASE = "scouts/attribution"
PLANTED = "999888777"


def problem(answer, status):
    """The body of an error, which has the form of every error."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:scout:problem:")
    assert body["instance"].startswith("urn:uuid:")
    assert body["title"]
    assert body["detail"].endswith((".", ")"))
    return body


@pytest.mark.parametrize(
    ("path", "given", "parameter", "allowed"),
    [
        ("backlog", {"category": PLANTED}, "category", "one of A, C, D"),
        ("backlog", {"page": -int(PLANTED)}, "page", "1 or more"),
        ("backlog", {"page_size": PLANTED}, "page_size", "1000 or less"),
        ("backlog", {"page": "10" * 40}, "page", "1000000 or less"),
        ("backlog", {"sort": PLANTED}, "sort", "one of newest, oldest"),
        ("backlog", {"text": f"{PLANTED}\0"}, "text", None),
        ("backlog", {"source": f"\0{PLANTED}"}, "source", None),
        ("conflicts", {"since": PLANTED}, "since", "a day (YYYY-MM-DD)"),
        ("conflicts", {"since": "2026-02-02", "until": "2026-01-01"}, "until", None),
        ("conflicts", {"after": PLANTED}, "cursor", None),
        ("conflicts", {"limit": PLANTED}, "limit", "left out: there is no parameter of this name"),
        ("metrics/daily", {"days": 366}, "days", "365 or less"),
        (f"persons/{PLANTED}", {}, "person_key", "a person key (uuid)"),
        (f"runs/{PLANTED * 3}", {}, "run_id", None),
    ],
)
def test_bad_parameter_is_named_with_what_it_may_be_and_never_repeated(
    demo, path, given, parameter, allowed
):
    answer = demo.get(f"{BASE}/{path}", **given)
    body = problem(answer, 422)
    assert body["errors"][0]["parameter"] == parameter
    assert allowed is None or body["errors"][0]["allowed"] == allowed
    assert PLANTED not in answer.text


def test_nothing_under_an_address_is_said_the_same_way(demo):
    problem(demo.get("nothing"), 404)
    problem(demo.get(f"{BASE}/runs/2147483647"), 404)
    problem(demo.get(f"{BASE}/persons/00000000-0000-0000-0000-000000000000"), 404)
    problem(demo.post(f"{BASE}/metrics"), 405)


def test_who_has_not_signed_in_is_asked_to(demo):
    answer = demo.be(None).get(f"{BASE}/metrics")
    problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_database_that_is_away_is_503(away):
    answer = away.get(f"{BASE}/metrics")
    assert problem(answer, 503)["type"].endswith("database-away")
    assert int(answer.headers["retry-after"]) > 0
    assert "127.0.0.1" not in answer.text


def test_statement_that_takes_too_long_is_503_and_tells_no_sql(demo, monkeypatch):
    def slow(conn):
        conn.exec_driver_sql("set local statement_timeout = 20; select pg_sleep(5)")

    monkeypatch.setattr("scout_core.attribution.coverage.snapshot", slow)
    answer = demo.get(f"{BASE}/metrics")
    assert problem(answer, 503)["type"].endswith("too-slow")
    assert "pg_sleep" not in answer.text


def test_what_nobody_expected_is_a_number_and_no_more(demo, monkeypatch, capsys):
    def broken(conn):
        raise ValueError(f"phone {PLANTED}")

    monkeypatch.setattr("scout_core.attribution.coverage.snapshot", broken)
    body = problem(demo.get(f"{BASE}/metrics"), 500)
    captured = capsys.readouterr()
    logged = captured.out + captured.err
    assert body["instance"].removeprefix("urn:uuid:") in logged
    assert PLANTED not in logged + str(body)


def test_words_of_the_database_stay_in_the_log(demo, monkeypatch):
    def refused(conn):
        conn.exec_driver_sql(f"select nothing_{PLANTED} from scout.runs")

    monkeypatch.setattr("scout_core.attribution.coverage.snapshot", refused)
    assert PLANTED not in str(problem(demo.get(f"{BASE}/metrics"), 500))


def test_reads_are_read_only_whatever_runs(demo, monkeypatch):
    seen = []

    def write(conn):
        seen.append(conn.exec_driver_sql("select current_user").scalar())
        conn.exec_driver_sql("insert into scout.install_facts values ('x', 'y')")

    monkeypatch.setattr("scout_core.attribution.coverage.snapshot", write)
    assert demo.get(f"{BASE}/metrics").status_code in {500, 503}
    assert seen == ["scout_reader"]
    with pytest.raises(DatabaseReadOnly), demo.database.transaction(API) as conn:
        write(conn)


def test_body_that_drips_has_so_many_seconds_in_all(monkeypatch):
    monkeypatch.setattr(bodies, "SECONDS", 0.2)
    pieces = []

    async def reads(scope, receive, send):
        while len(pieces) < 100:
            pieces.append(await receive())

    async def drips():
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"x", "more_body": True}

    limit = bodies.Limit(reads, refuse=None)
    with pytest.raises(HTTPException) as given_up:
        asyncio.run(limit({"type": "http", "headers": []}, drips, None))
    assert given_up.value.status_code == 408
    assert 0 < len(pieces) <= 4


def test_body_that_does_not_arrive_is_given_up(monkeypatch):
    """The route learns it as an error; what it waits for after the body has no end."""
    monkeypatch.setattr(bodies, "SECONDS", 0.05)
    said = []

    async def reads(scope, receive, send):
        assert (await receive())["body"] == b"{"
        try:
            await receive()
        except HTTPException as exc:
            said.append(exc.status_code)

    async def waits(scope, receive, send):
        await receive()
        await receive()
        said.append("left")

    pieces = iter([(b"{", True), None])

    async def never_whole():
        if (piece := next(pieces)) is None:
            await asyncio.sleep(10)
        return {"type": "http.request", "body": piece[0], "more_body": piece[1]}

    async def whole_and_later_gone():
        if said[-1] != "whole":
            said.append("whole")
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.sleep(0.2)
        return {"type": "http.disconnect"}

    scope = {"type": "http", "headers": []}
    with ThreadPoolExecutor(1) as thread:
        for app, receive in ((reads, never_whole), (waits, whole_and_later_gone)):
            thread.submit(asyncio.run, bodies.Limit(app, None)(scope, receive, None)).result()
    assert said == [408, "whole", "left"]


def test_body_that_is_too_large_is_413_with_a_number_in_the_log(demo):
    answer = demo.post(
        f"{BASE}/conflicts.csv",
        content=b"x" * (bodies.MAX_BYTES + 1),
        headers={"content-type": "application/json"},
    )
    assert problem(answer, 413)["type"].endswith("too-large")
    just = b'{"reason": "' + b"x" * (bodies.MAX_BYTES - 14) + b'"}'
    assert len(just) == bodies.MAX_BYTES
    problem(demo.post(f"{BASE}/conflicts.csv", content=just), 422)
