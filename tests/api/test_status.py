"""What monitors ask: alive, ready, healthy, and the numbers."""

from dataclasses import asdict

import pytest
from prometheus_client import parser as text_parser
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from scout_core.attribution import coverage
from scout_core.db.database import LOOK
from scout_core.health import verdict as health
from tests.support.job import do
from tests.support.looking import rows
from tests.support.telling import told, write


def numbers(ask):
    """Name -> {labels: value} of every sample that is scraped."""
    answer = ask.root.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = tuple(sample.labels.values())
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


PROMETHEUS = (  # as it asks since version 3
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "is_text"),
    [
        ("text/plain;version=0.0.4", True),
        ("text/plain; version=0.0.4; charset=utf-8", True),
        ("text/plain", True),
        ("text/*", True),
        ("TEXT/PLAIN;q=0.9, application/openmetrics-text;q=0.5", True),
        ("application/openmetrics-text;q=0, */*", True),
        ("application/openmetrics-text", False),
        ("application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5", False),
        ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=0.0.1", False),
        (PROMETHEUS, False),
        ("*/*", False),
        ("", False),
        (None, False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("application/json", False),
        ("text/plain;q=high", False),
    ],
)
def test_metrics_come_in_the_form_that_is_asked_for(demo, accept, is_text):
    demo.get("scouts/attribution/metrics")
    demo.root.headers.pop("accept", None)
    answer = demo.root.get("/metrics", headers={} if accept is None else {"accept": accept})
    assert answer.headers["vary"] == "accept"
    if not is_text:
        assert answer.headers["content-type"] == (
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        )
        assert answer.text.endswith("# EOF\n")
        assert "# TYPE scout info\n" in answer.text
        families = list(text_string_to_metric_families(answer.text))
    else:
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "EOF" not in answer.text
        kinds = {line.split()[3] for line in answer.text.splitlines() if line[:7] == "# TYPE "}
        assert kinds <= {"counter", "gauge", "summary", "histogram", "untyped"}
        families = list(text_parser.text_string_to_metric_families(answer.text))
    found = {s.name: s.value for family in families for s in family.samples}
    assert found["scout_up"] == found["scout_info"] == 1.0
    assert found["scout_api_request_seconds_count"] >= 1.0
    assert found["scout_api_request_seconds_bucket"] >= 1.0
    assert len({family.name for family in families}) == len(families)


def test_server_with_its_database_is_alive_ready_and_as_healthy_as_the_verb_says(demo):
    assert demo.root.get("/livez").json() == {"status": "OK"}
    assert demo.root.get("/readyz").json() == {"status": "OK"}
    answer = demo.root.get("/health")
    with demo.database.transaction(LOOK) as conn:
        from api.services import now

        verdict = health.assess(conn, demo.settings, now())
    assert answer.status_code == 200
    assert answer.json()["status"] == verdict.status == "WARN"
    assert [r["indicator"] for r in answer.json()["reasons"]] == [
        "satisfactory",
        "conflicts",
        "last_run",
    ]
    assert answer.json()["lights"] == [
        {**asdict(light), "since": light.since and light.since.isoformat().replace("+00:00", "Z")}
        for light in verdict.lights
    ]
    assert [light["indicator"] for light in answer.json()["lights"]] == [
        "scheduler",
        "last_run",
        "sources",
    ]
    assert demo.root.get("/health?strict=1").status_code == 200
    demo.settings = demo.settings.model_copy(
        update={"health_conflicts_warn": 0, "health_conflicts_fail": 0}
    )
    assert demo.root.get("/health").json()["status"] == "FAIL"
    assert demo.root.get("/health").status_code == 200
    assert demo.root.get("/health?strict=1").status_code == 503


def test_server_without_its_database_is_alive_and_nothing_more(away):
    assert away.root.get("/livez").status_code == 200
    assert away.root.get("/readyz").status_code == 503
    answer = away.root.get("/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "UNKNOWN"
    assert answer.json()["reasons"][0]["indicator"] == "database"
    found = numbers(away)
    assert found["scout_up"] == {(): 0.0}
    assert "scout_persons" not in found


def test_who_has_not_signed_in_is_told_the_state_without_the_numbers(demo):
    demo.be(None)
    assert demo.root.get("/livez").status_code == 200
    assert demo.root.get("/health").json() == {"status": "WARN"}
    assert demo.root.get("/metrics").status_code == 401


def test_messages_that_wait_and_dead_letters_are_counted(ask):
    db = ask.database
    for _ in range(3):
        write(db, told("json://localhost"))
    newest = "select max(delivery_id) from scout.deliveries"
    do(
        db.url,
        "update scout.deliveries set state = 'DEAD', ended_at = now()"
        f" where delivery_id = ({newest})",
    )
    found = numbers(ask)
    assert (found["scout_outbox_pending"], found["scout_outbox_dead"]) == ({(): 2.0}, {(): 1.0})


def test_numbers_are_those_of_the_views(demo):
    with demo.database.transaction(LOOK) as conn:
        snapshot = coverage.snapshot(conn)
    found = numbers(demo)
    assert found["scout_up"] == {(): 1.0}
    assert found["scout_persons"] == {
        ("true",): snapshot.persons_with_scout_satisfactory,
        ("false",): snapshot.persons_missing_scout,
    }
    assert sum(found["scout_backlog_persons"].values()) == snapshot.persons_missing_scout
    assert found["scout_open_conflicts"] == {(): snapshot.conflicts_count}
    ((ended, seconds),) = rows(
        demo.database,
        "select extract(epoch from completed_at), extract(epoch from completed_at - started_at)"
        " from scout.v_runs where kind = 'refresh'",
    )
    assert found["scout_last_success_timestamp_seconds"] == {(): float(ended)}
    assert found["scout_last_success_duration_seconds"] == {(): float(seconds)}
    assert found["scout_pending_rows"] == {(): 0.0}
    assert len(found["scout_source_newest_timestamp_seconds"]) == 6
    assert found["scout_health"][("WARN",)] == 1.0
    indicators = found["scout_health_indicator"]
    assert {name for (name, _), is_in in indicators.items() if is_in} == {
        "satisfactory",
        "conflicts",
        "last_run",
        "scheduler",
        "sources",
    }
    assert indicators["sources", "OK"] == indicators["last_run", "OK"] == 1.0
    before = found.get("scout_api_request_seconds_count", {})
    demo.get("scouts/attribution/runs/7")
    route = ("GET", "/scouts/attribution/runs/{run_id}", "404")
    assert numbers(demo)["scout_api_request_seconds_count"][route] == before.get(route, 0) + 1
