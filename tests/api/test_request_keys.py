"""A key belongs to one request: who, where, what. Every write of the API, also by two processes."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.app import ROUTERS
from scout_core.access.permissions import Actor
from scout_core.alerts import acts, rounds
from scout_core.db.database import Database
from scout_core.decide import undo
from scout_core.errors import KeyReused
from scout_core.job import run_now
from scout_core.runs import lock
from tests.api.test_problems import problem
from tests.install.test_upgrade import copy, init_as_of, tree_of
from tests.support.asking import Asking, asking
from tests.support.installing import init
from tests.support.job import broken, do, key, refresh, rows, story, value, writing
from tests.support.state import fingerprint
from tests.support.worker import Worker

BASE = "/scouts/attribution"
NOTE = "called both, the first one registered him"
KEY = "nightly-2026-11-22"
ANA, LUIS = Actor("ana", "admin"), Actor("luis", "admin")
Sent = tuple[str, Any]


def conflict(ask: Asking) -> Sent:
    (row,) = ask.get("scouts/attribution/conflicts").json()["items"]
    given = {"outcome": "ASSIGN", "scout_id": 9, "reason_code": "OTHER", "note": NOTE}
    return f"{BASE}/conflicts/{key('carla')}/decision", {**given, "seen": row["seen"]}


def run_to_undo(ask: Asking) -> Sent:
    run_id = value(ask.database.url, "select max(run_id) from scout.runs")
    return f"{BASE}/runs/{run_id}/undo", {"reason": NOTE}


def hold(ask: Asking) -> Sent:
    path, body = run_to_undo(ask)
    assert ask.post(path.removeprefix("/"), json=body).status_code == 200
    (held, *_) = ask.get("scouts/attribution/holds").json()["items"]
    return f"{BASE}/holds/{held['hold_id']}/release", {"reason": NOTE}


def row_to_review(ask: Asking) -> Sent:
    (row,) = ask.get("scouts/attribution/review").json()["items"]
    return f"{BASE}/review/{row['source_pk']}", {"act": "create", "reason": NOTE}


def alert(ask: Asking) -> str:
    (row,) = ask.get("scouts/attribution/alerts", rule="NEW_CONFLICT").json()["items"]
    return f"{BASE}/alerts/{row['alert_id']}"


def muted(ask: Asking) -> Sent:
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    return f"{alert(ask)}/mute", {"reason": NOTE, "until": until}


def to_unmute(ask: Asking) -> Sent:
    path, body = muted(ask)
    assert ask.post(path.removeprefix("/"), json=body).status_code == 200
    return f"{alert(ask)}/unmute", {"reason": NOTE}


# name of the route -> what makes a request that can be done now
WRITES: dict[str, Callable[[Asking], Sent]] = {
    "start_run": lambda ask: (f"{BASE}/run-now", None),
    "decide": conflict,
    "undo_run": run_to_undo,
    "release_hold": hold,
    "review_row": row_to_review,
    "acknowledge": lambda ask: (f"{alert(ask)}/ack", {"reason": NOTE}),
    "mute": muted,
    "unmute": to_unmute,
}
POSTS = {
    route.name: route.path
    for router in ROUTERS
    for route in router.routes
    if "POST" in route.methods  # type: ignore[attr-defined]
}
FILES = {name: path for name, path in POSTS.items() if name.endswith("_clear")}


@pytest.fixture
def told(ask, db, db_url):
    """The API on a database after one run, with a conflict, a row to review and alerts."""
    story(db_url)
    refresh(db)
    ask.actor = ANA
    return ask


def send(ask: Asking, path: str, body: Any, *, given: str = KEY) -> Any:
    more = {} if body is None else {"json": body}
    answer = ask.post(path.removeprefix("/"), headers={"Idempotency-Key": given}, **more)
    while (job := run_now.in_progress()) is not None:
        job.ended.wait(30)
    return answer


def other_body(body: Any) -> Any:
    return {"reason": "another reason, long enough"} if body is None else body | _changed(body)


def _changed(body: dict[str, Any]) -> dict[str, Any]:
    words = "note" if "note" in body else "reason"
    return {words: body[words] + " and more"}


def test_every_post_has_its_request_here():
    assert set(POSTS) == set(WRITES) | set(FILES)
    assert len(FILES) == 14


def test_every_post_takes_a_key(demo):
    described = demo.client.get("/openapi.json").json()
    posts = [methods["post"] for methods in described["paths"].values() if "post" in methods]
    assert len(posts) == len(POSTS)
    for post in posts:
        assert "Idempotency-Key" in {p["name"] for p in post["parameters"]}, post["operationId"]
        assert "409" in post["responses"], post["operationId"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", WRITES)
def test_key_is_one_effect_and_one_answer_and_nobody_elses(told, db, db_url, name):
    path, body = WRITES[name](told)
    first = send(told, path, body)
    assert first.status_code in {200, 202}, first.text
    before = fingerprint(db_url)
    elsewhere = (f"{BASE}/run-now", body)
    if name == "start_run":
        elsewhere = (f"{BASE}/holds/77/release", {"reason": NOTE})
    for who, where, what in (
        (LUIS, path, body),
        (ANA, path, other_body(body)),
        (ANA, *elsewhere),
        (ANA, f"{path}?more=1", body),
    ):
        told.actor = who
        refused = problem(send(told, where, what), 409)
        assert refused["type"] == "urn:scout:problem:key-reused"
        assert set(refused) == {"type", "title", "status", "detail", "instance"}
        assert "ana" not in json.dumps(refused).lower()
        assert path not in json.dumps(refused)
    told.actor = ANA
    again = send(told, path, body)
    assert (again.status_code, again.text) == (first.status_code, first.text)
    assert again.headers.get("location") == first.headers.get("location")
    assert fingerprint(db_url) == before
    told.actor = LUIS
    # the other's request is done under a key of its own, or refused for what it is
    assert send(told, path, body, given="another").json().get("type") != refused["type"]
    assert broken(db) == {}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", WRITES)
def test_requests_at_once_from_two_processes_are_one_effect(told, db, db_url, name):
    path, body = WRITES[name](told)
    runs = value(db_url, "select count(*) from scout.runs")
    events = value(db_url, "select count(*) from scout.alert_events where request_id is not null")
    workers = [Worker(post_in_a_process, db_url, path, body, 4) for _ in range(2)]
    answers = [answer for worker in workers for answer in worker.hears()]
    assert len(set(answers)) == 1
    assert (len(answers), answers[0][0] in {200, 202}) == (8, True)
    done = (
        value(db_url, "select count(*) from scout.runs") - runs,
        value(db_url, "select count(*) from scout.alert_events where request_id is not null")
        - events,
    )
    assert sorted(done) == [0, 1]
    # this process has not seen the request, as after a restart
    before = fingerprint(db_url)
    again = send(told, path, body)
    assert (again.status_code, again.text) == answers[0]
    assert fingerprint(db_url) == before
    assert broken(db) == {}


def post_in_a_process(pipe: Any, url: str, path: str, body: Any, count: int) -> None:
    """A web process: the same request `count` times at once; says what was answered."""
    database = Database(url)
    with asking(database) as ask, ThreadPoolExecutor(count) as threads:
        ask.actor = ANA
        answers = list(threads.map(lambda _: send(ask, path, body), range(count)))
        pipe.send([(answer.status_code, answer.text) for answer in answers])
    database.dispose()


def test_refused_request_is_tried_anew_and_keeps_its_key(told, db, db_url):
    path, body = conflict(told)
    stale = {**body, "seen": "0" * 32}
    for _ in range(2):
        kind = problem(send(told, path, stale), 409)["type"]
        assert kind == "urn:scout:problem:changed-meanwhile"
    assert problem(send(told, path, body), 409)["type"] == "urn:scout:problem:key-reused"
    assert send(told, path, body, given="next").status_code == 200
    assert broken(db) == {}


def test_run_refused_beside_another_begins_when_the_same_request_comes_again(told, db_url):
    with writing(db_url) as conn:
        conn.exec_driver_sql(f"select pg_advisory_xact_lock({lock.LOCK_CLASS}, 0)")
        assert problem(send(told, f"{BASE}/run-now", None), 409)["type"].endswith("run-busy")
    before = value(db_url, "select max(run_id) from scout.runs")
    done = send(told, f"{BASE}/run-now", None)
    assert (done.status_code, done.json()["run_id"] > before) == (202, True)


@pytest.mark.parametrize("name", FILES)
def test_key_of_a_file_is_bound_and_each_file_is_kept(demo, name):
    demo.actor = ANA
    path, key_of_it = FILES[name], f"file-{name}"
    count = "select count(*) from scout.export_audit"
    before = value(demo.database.url, count)
    assert send(demo, path, {"reason": NOTE}, given=key_of_it).status_code == 200
    for who, where, body in (
        (LUIS, path, {"reason": NOTE}),
        (ANA, path, {"reason": NOTE + " again"}),
        (ANA, path + "?lang=es", {"reason": NOTE}),
        (ANA, f"{BASE}/holds/77/release", {"reason": NOTE}),
    ):
        demo.actor = who
        refused = problem(send(demo, where, body, given=key_of_it), 409)
        assert refused["type"] == "urn:scout:problem:key-reused"
    assert value(demo.database.url, count) == before + 1
    demo.actor = ANA
    assert send(demo, path, {"reason": NOTE}, given=key_of_it).status_code == 200
    assert value(demo.database.url, count) == before + 2


def test_key_is_free_after_a_week_and_rounds_forget_it(told, db, db_url):
    path, body = f"{BASE}/run-now", None
    first = send(told, path, body).json()
    assert send(told, path, body, given="fresh").status_code == 202
    do(
        db_url,
        "update scout.request_keys set first_at = now() - interval '7 days 1 second'"
        f" where request_key = '{KEY}'",
    )
    told.actor = LUIS
    second = send(told, path, body)
    assert (second.status_code, second.json()["run_id"] > first["run_id"]) == (202, True)
    do(
        db_url,
        "update scout.request_keys set first_at = now() - interval '7 days 1 second'"
        f" where request_key = '{KEY}'",
    )
    rounds.make_round(db, told.settings, datetime.now(UTC))
    assert rows(db_url, "select request_key from scout.request_keys") == [("fresh",)]


def test_request_id_of_the_library_is_answered_to_its_own_actor_and_kind_only(db, db_url):
    story(db_url)
    first = refresh(db, actor=LUIS, request_id="click 1")
    assert refresh(db, actor=LUIS, request_id="click 1").run_id == first.run_id
    tables = ("scout.runs", "ops.ingestion_runs", "observational.lead_ledger", "scout.holds")
    before = fingerprint(db_url, *tables)
    with pytest.raises(KeyReused):
        refresh(db, actor=ANA, request_id="click 1")
    with pytest.raises(KeyReused):
        undo.run_undo(db, actor=LUIS, run_id=first.run_id, reason=NOTE, request_id="click 1")
    assert fingerprint(db_url, *tables) == before


def test_request_id_of_an_alert_is_answered_to_its_own_actor_and_act_only(told, db, db_url):
    number = int(alert(told).rpartition("/")[2])
    now = datetime.now(UTC)
    given = {"alert_id": number, "reason": NOTE, "now": now, "request_id": "click 2"}
    done = acts.ack(db, actor=ANA, **given)
    assert acts.ack(db, actor=ANA, **given) == done
    before = fingerprint(db_url)
    for act, more in (
        (acts.ack, {"actor": LUIS}),
        (acts.mute, {"actor": ANA, "until": now + timedelta(days=1)}),
    ):
        with pytest.raises(KeyReused):
            act(db, **given | more)
    assert fingerprint(db_url) == before


def test_keys_of_before_the_upgrade_are_answered_to_their_actors(
    told, db, db_url, source_db, tmp_path
):
    first = refresh(db, actor=ANA, request_id="old-run", trigger="api")
    acted = alert(told)
    number = int(acted.rpartition("/")[2])
    given = {"actor": ANA, "alert_id": number, "reason": NOTE, "now": datetime.now(UTC)}
    acts.ack(db, **given, request_id="old-ack")
    init_as_of(source_db, tree_of(tmp_path, 16))
    copy(db_url, source_db)
    init(source_db)
    upgraded = Database(source_db)
    with asking(upgraded) as ask:
        ask.actor = ANA
        assert send(ask, f"{BASE}/run-now", None, given="old-run").json()["run_id"] == first.run_id
        again = send(ask, f"{acted}/ack", {"reason": NOTE}, given="old-ack").json()
        assert (again["alert_id"], again["event"]) == (number, "ACKNOWLEDGED")
        undoing = send(ask, f"{BASE}/runs/{first.run_id}/undo", {"reason": NOTE}, given="old-run")
        assert problem(undoing, 409)["type"] == "urn:scout:problem:key-reused"
        ask.actor = LUIS
        problem(send(ask, f"{BASE}/run-now", None, given="old-run"), 409)
        problem(send(ask, f"{acted}/ack", {"reason": NOTE}, given="old-ack"), 409)
    count = "select count(*) from {}"
    for table in ("scout.runs", "scout.alert_events"):
        assert value(source_db, count.format(table)) == value(db_url, count.format(table))
    upgraded.dispose()
