"""Routes of the API that are no lists: numbers, one person, runs, documentation."""

import re
from collections import Counter
from dataclasses import asdict

import pytest
import schemathesis
from jsonschema_rs import ValidationError

from scout_core.attribution import coverage, persons
from scout_core.db.database import LOOK
from scout_core.health import verdict

BASE = "scouts/attribution"


def test_metrics_are_the_snapshot_in_the_nesting_that_callers_know(demo):
    with demo.database.transaction(LOOK) as conn:
        now = asdict(coverage.snapshot(conn))
    got = demo.get(f"{BASE}/metrics").json()
    assert got["total_persons"] == now["total_persons"] > 0
    assert got["pct_scout_satisfactory"] == float(now["pct_scout_satisfactory"])
    assert sum(got["backlog"].values()) == got["persons_missing_scout"]
    assert list(got["backlog"]) == [
        "a_events_without_scout",
        "d_scout_in_events_not_in_ledger",
        "c_legacy",
    ]
    assert list(got["last_job"]) == [
        "status",
        "started_at",
        "ended_at",
        "duration_seconds",
        "summary",
        "error",
    ]
    assert got["last_job"]["status"] == "COMPLETED"


@pytest.mark.parametrize("days", [1, 31, 365])
def test_daily_metrics_are_the_last_days_oldest_first(demo, days):
    found = demo.get(f"{BASE}/metrics/daily", days=days).json()["daily_metrics"]
    dates = [day["date"] for day in found]
    assert dates == sorted(set(dates))
    assert len(found) == days if days <= 31 else len(found) >= 31
    assert set(found[-1]["by_source"]) == {"scouting_daily", "cabinet_leads", "lead_ledger"}
    assert found[-1]["total_persons"] == demo.get(f"{BASE}/metrics").json()["total_persons"]


def test_history_of_health_is_that_of_the_library(demo):
    with demo.database.transaction(LOOK) as conn:
        kept = verdict.list_changes(conn, limit=3)
    got = demo.get(f"{BASE}/health/history", limit=3).json()["changes"]
    assert [(c["indicator"], c["to_status"], c["run_id"]) for c in got] == [
        (c.indicator, c.to_status, c.run_id) for c in kept
    ]
    assert len(got) == 3
    assert demo.get(f"{BASE}/health/history", limit=1001).status_code == 422


def test_person_is_explained_as_by_the_library(demo):
    key = demo.get(f"{BASE}/conflicts").json()["items"][0]["person_key"]
    with demo.database.transaction(LOOK) as conn:
        told = persons.explain(conn, key)
    got = demo.get(f"{BASE}/persons/{key}").json()
    assert (got["verdict"], got["next_action"]) == (told.verdict, told.next_action)
    assert len(got["evidence"]) == len(told.evidence) > 1
    assert got["state"]["person_key"] == key


def test_run_is_told_with_its_steps_and_seal(demo):
    newest = demo.get(f"{BASE}/runs", kind="refresh").json()["items"][0]
    got = demo.get(f"{BASE}/runs/{newest['run_id']}").json()
    assert [step["name"] for step in got["steps"]] == ["link", "propagate", "record"]
    assert len(got["seal"]["seal_hash"]) == 64
    beat = demo.get(f"{BASE}/job-status").json()
    assert beat["last"]["run_id"] == newest["run_id"]
    assert (beat["running"], beat["scheduler_status"]) == (None, "UNKNOWN")


def test_plan_and_alerts_answer(demo):
    assert demo.get(f"{BASE}/plan").json()["changed_rows"] == 0
    told = demo.get(f"{BASE}/alerts", page_size=1000).json()
    listed = Counter((row["rule"], row["severity"]) for row in told["items"])
    assert {(row["rule"], row["severity"]): row["open_count"] for row in told["standing"]} == (
        listed
    )
    assert told["pagination"]["total"] == listed.total()
    assert listed["UNREADABLE_SCOUT", "WARN"] > 0


def test_documentation_comes_from_this_server_only(demo):
    page = demo.client.get("/docs").text
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert not address.startswith(("http", "//"))
        if not address.startswith("data:"):
            assert demo.client.get(f"/{address}").status_code == 200
    assert "<script>" not in page


def test_each_route_says_what_it_answers_and_which_errors(demo):
    described = demo.client.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for route in methods.values():
            assert route["summary"], path
            assert {"401", "403", "422", "503"} <= set(route["responses"]), path
            for code, answer in route["responses"].items():
                (kind, content), *others = answer["content"].items()
                assert content["schema"], (path, code)
                assert others == [], (path, code)
                if code[0] != "2":
                    assert kind == "application/problem+json", (path, code)
                elif path.endswith(".csv"):
                    assert (kind, content["schema"]) == ("text/csv", {"type": "string"})
                elif path.endswith(".xlsx"):
                    assert kind.endswith("spreadsheetml.sheet")
                    assert content["schema"] == {"type": "string", "format": "binary"}
                else:
                    assert kind == "application/json", (path, code)
    assert "example" in str(described["components"]["schemas"]["Metrics"])


def test_document_is_valid_openapi(demo):
    described = demo.client.get("/openapi.json").json()
    assert described["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(described).validate()
    # and the check is one
    del described["paths"]["/v1/scouts/attribution/metrics"]["get"]["responses"]
    described["paths"]["/v1/scouts/attribution/metrics"]["get"]["tags"] = "none"
    with pytest.raises(ValidationError):
        schemathesis.openapi.from_dict(described).validate()
