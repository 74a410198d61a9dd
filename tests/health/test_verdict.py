"""The verdict: thresholds on both sides, the job's last runs, the worst wins, since when."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from scout_core import cli
from scout_core.db.database import ADMIN, LOOK, Database
from scout_core.health import verdict as health
from scout_core.health.verdict import LastRun, Verdict
from scout_core.settings import load
from tests.support import factories
from tests.support.looking import refresh, value, write

SETTINGS = load({}, dotenv=None)
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
RUN = (
    "insert into ops.ingestion_runs (job_type, status, started_at, completed_at, error_message)"
    " values ('{job}', '{status}', :started, :ended, :error)"
)


@pytest.mark.parametrize(
    ("pct", "state"),
    [
        (None, "UNKNOWN"), (0, "FAIL"), (49.99, "FAIL"), (50, "WARN"), (65, "WARN"), (80, "WARN"),
        (80.01, "OK"), (100, "OK"),
    ],
)  # fmt: skip
def test_satisfactory_share_on_both_sides_of_its_limits(pct: float | None, state: str) -> None:
    assert health.judge_share(pct, SETTINGS) == state


@pytest.mark.parametrize(
    ("count", "state"), [(0, "OK"), (49, "OK"), (50, "WARN"), (100, "WARN"), (101, "FAIL")]
)
def test_conflicts_on_both_sides_of_their_limits(count: int, state: str) -> None:
    assert health.judge_conflicts(count, SETTINGS) == state


def test_limits_are_settings() -> None:
    own = load(
        {
            "SCOUT_HEALTH_SATISFACTORY_OK_PCT": "30",
            "SCOUT_HEALTH_SATISFACTORY_FAIL_PCT": "10",
            "SCOUT_HEALTH_CONFLICTS_WARN": "1",
            "SCOUT_HEALTH_CONFLICTS_FAIL": "2",
        },
        dotenv=None,
    )
    assert [health.judge_share(pct, own) for pct in (9, 10, 30, 31)] == [
        "FAIL", "WARN", "WARN", "OK",
    ]  # fmt: skip
    assert [health.judge_conflicts(n, own) for n in (0, 1, 2, 3)] == ["OK", "WARN", "WARN", "FAIL"]


def a_run(status: str, minutes_ago: float, *, run_id: int = 1) -> LastRun:
    """A run that ended, or when it runs started, so long ago."""
    at = NOW - timedelta(minutes=minutes_ago)
    if status == "RUNNING":
        return LastRun(run_id, status, at, None, None)
    return LastRun(run_id, status, at - timedelta(minutes=1), at, None)


COMPLETED, FAILED, RUNNING = "COMPLETED", "FAILED", "RUNNING"


@pytest.mark.parametrize(
    ("runs", "state", "text"),
    [
        ([], "UNKNOWN", "the job has never run"),
        ([(COMPLETED, 0)], "OK", "run 1 completed less than a minute ago"),
        ([(COMPLETED, 60)], "OK", "run 1 completed 1 h 0 min ago"),
        ([(COMPLETED, 61)], "OK", "run 1 completed 1 h 1 min ago, on schedule"),
        ([(COMPLETED, 260)], "OK", "run 1 completed 4 h 20 min ago, on schedule"),
        ([(COMPLETED, 261)], "WARN", "run 1 completed 4 h 21 min ago: late"),
        ([(COMPLETED, 4321)], "WARN", "run 1 completed 3 days ago: late"),
        ([(FAILED, 5)], "FAIL", "run 1 failed: no reason recorded"),
        ([(FAILED, 5), (COMPLETED, 60)], "FAIL", "run 2 failed: no reason recorded"),
        ([(COMPLETED, 5), (FAILED, 60)], "OK", "run 2 completed 5 min ago"),
        ([(RUNNING, 5)], "OK", "run 1 is the first and still running"),
        ([(RUNNING, 60), (COMPLETED, 240)], "OK", "run 1 completed 4 h 0 min ago, on schedule"),
        ([(RUNNING, 61), (COMPLETED, 90)], "WARN", "run 2 has run for 1 h 1 min"),
        ([(RUNNING, 5), (COMPLETED, 300)], "WARN", "run 1 completed 5 h 0 min ago: late"),
        ([(RUNNING, 5), (FAILED, 90)], "FAIL", "run 1 failed: no reason recorded"),
        ([(RUNNING, 90), (FAILED, 95)], "FAIL", "run 1 failed: no reason recorded"),
    ],
)
def test_state_of_the_job_from_its_last_runs(
    runs: list[tuple[str, float]], state: str, text: str
) -> None:
    last = [a_run(s, m, run_id=len(runs) - n) for n, (s, m) in enumerate(runs)]
    reason = health.judge_runs(last, SETTINGS, NOW)
    assert (reason.indicator, reason.status, reason.text) == ("last_run", state, text)


def assess(db: Database, now: datetime | None = None, **environ: str) -> Verdict:
    with db.transaction(LOOK) as conn:
        return health.assess(conn, load(environ, dotenv=None), now or datetime.now(UTC))


def states(verdict: Verdict) -> dict[str, str]:
    return {reason.indicator: reason.status for reason in verdict.reasons}


def persons(db: Database, attributed: int, missing: int, *, are_leads: bool) -> None:
    """That many persons with and without a scout in the ledger."""
    write(
        db,
        "insert into canon.identity_registry (person_key, confidence_level)"
        " select gen_random_uuid(), 'HIGH' from generate_series(1, :n)",
        n=attributed + missing,
    )
    new = "select person_key from canon.identity_registry where primary_document is null"
    if are_leads:
        write(
            db,
            "insert into observational.lead_events (source_table, source_pk, event_date,"
            f" person_key) select 'x', n.person_key::text, '2026-03-02', n.person_key from ({new})"
            " as n",
        )
    write(
        db,
        "insert into observational.lead_ledger (person_key, attributed_scout_id,"
        " attribution_score, confidence_level, decision_status)"
        f" select person_key, 7, 1, 'high', 'assigned' from ({new}) as n limit :n",
        n=attributed,
    )
    write(db, "update canon.identity_registry set primary_document = 'counted'")


def test_share_is_of_lead_persons_or_of_all_as_set(db: Database) -> None:
    persons(db, 81, 19, are_leads=True)
    persons(db, 0, 100, are_leads=False)
    leads = next(r for r in assess(db).reasons if r.indicator == "satisfactory")
    assert (leads.status, leads.value) == ("OK", 81.0)
    assert leads.text == "81.00 % of 100 lead persons have their scout"
    every = assess(db, SCOUT_HEALTH_POPULATION="persons")
    of_all = next(r for r in every.reasons if r.indicator == "satisfactory")
    assert (of_all.status, of_all.value) == ("FAIL", 40.5)
    assert of_all.text == "40.50 % of 200 persons have their scout"
    assert of_all.threshold == "OK above 80 %, FAIL below 50 %"


def test_worst_state_counts_in_the_order_of_severity(db: Database) -> None:
    """OK < WARN < STALE < UNKNOWN < FAIL."""
    assert states(assess(db)) == {"satisfactory": "UNKNOWN", "conflicts": "OK",
                                  "last_run": "UNKNOWN"}  # fmt: skip
    assert assess(db).status == "UNKNOWN"
    persons(db, 9, 1, are_leads=True)
    refresh(db)
    assert assess(db).status == "OK"
    late = assess(db, datetime.now(UTC) + timedelta(hours=5))
    assert (late.status, states(late)["last_run"]) == ("WARN", "WARN")
    persons(db, 0, 20, are_leads=True)
    assert states(assess(db)) == {"satisfactory": "FAIL", "conflicts": "OK", "last_run": "OK"}
    assert assess(db, datetime.now(UTC) + timedelta(hours=5)).status == "FAIL"
    write(db, "delete from observational.lead_events", "delete from observational.lead_ledger")
    assert assess(db).status == "UNKNOWN"
    failed = {"started": datetime.now(UTC), "ended": datetime.now(UTC), "error": "no room"}
    write(db, RUN.format(job="scout_attribution_refresh", status="FAILED"), **failed)
    verdict = assess(db)
    assert verdict.status == "FAIL"
    assert "failed: no room" in verdict.reasons[2].text


def test_runs_of_other_kinds_say_nothing_about_the_job(db: Database) -> None:
    for job in ("identity_run", "scout_attribution_undo"):
        times = {"started": NOW, "ended": NOW, "error": "x"}
        write(db, RUN.format(job=job, status="FAILED"), **times)
    assert states(assess(db))["last_run"] == "UNKNOWN"


def test_state_is_told_since_the_day_it_began(db: Database) -> None:
    persons(db, 9, 1, are_leads=True)
    today = value(db, "select scout.lima_date(now())")
    for ago, satisfied, conflicts in ((4, 1, 60), (3, 9, 60), (2, 9, 0), (1, 9, 0)):
        write(
            db,
            "insert into scout.metrics_history (metric_date, total_persons, satisfactory_count,"
            " missing_count, conflicts_count, lead_persons, satisfactory_lead_count,"
            " by_source_scouting_daily, by_source_cabinet_leads, by_source_lead_ledger)"
            " values (:day, 10, :n, 10 - :n, :conflicts, 10, :n, 0, 0, 0)",
            day=today - timedelta(days=ago),
            n=satisfied,
            conflicts=conflicts,
        )
    since = {r.indicator: r.since for r in assess(db).reasons}

    def midnight(ago: int) -> datetime:
        day = today - timedelta(days=ago)
        return datetime(day.year, day.month, day.day, 5, tzinfo=UTC)

    assert since == {"satisfactory": midnight(3), "conflicts": midnight(2), "last_run": None}
    persons(db, 0, 90, are_leads=True)
    assert assess(db).reasons[0].since == midnight(0)


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """`health --json` on a database: exit code."""
    monkeypatch.chdir(tmp_path)

    def run(url: str, *args: str) -> int:
        monkeypatch.setenv("DATABASE_URL", url)
        return cli.run(["health", *args])

    return run


def test_verb_exits_with_the_state_and_prints_its_reasons(
    db: Database, verb: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verb(db.url, "--json") == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "UNKNOWN"
    for reason in answer["reasons"]:
        assert set(reason) == {"indicator", "status", "value", "threshold", "since", "text"}
    persons(db, 9, 1, are_leads=True)
    refresh(db)
    assert verb(db.url, "--json") == 0
    ok = json.loads(capsys.readouterr().out)
    assert [r["status"] for r in ok["reasons"]] == ["OK", "OK", "OK"]
    assert ok["reasons"][0]["value"] == 90
    monkeypatch.setenv("SCOUT_HEALTH_SATISFACTORY_OK_PCT", "95")
    assert verb(db.url) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "WARN: 90.00 % of 10 lead persons have their scout."
    assert any(line.startswith("OK ") and "0 open conflicts" in line for line in shown)
    monkeypatch.setenv("SCOUT_HEALTH_SATISFACTORY_FAIL_PCT", "91")
    assert verb(db.url) == 2
    assert capsys.readouterr().out.startswith("FAIL: ")


@pytest.mark.parametrize("trouble", ["away", "no such database", "not installed", "usage"])
def test_verb_is_unknown_where_nothing_can_be_seen(
    source_db: str, verb: Any, capsys: pytest.CaptureFixture[str], trouble: str
) -> None:
    url = make_url(source_db)
    urls = {
        "away": "postgresql://nobody:nothing@127.0.0.1:1/x",
        "no such database": url.set(database="scout_test_missing").render_as_string(False),
    }
    args = ["--wrong"] if trouble == "usage" else ["--json"]
    assert verb(urls.get(trouble, source_db), *args) == 3
    printed = capsys.readouterr()
    assert len(printed.err.splitlines()) == 1
    if trouble != "usage":
        assert json.loads(printed.out)["error"]["exit_code"] == 3


def test_conflicts_beyond_the_limit_are_a_failure(db: Database) -> None:
    persons(db, 0, 101, are_leads=True)
    refresh(db)
    with db.transaction(ADMIN) as conn:
        factories.person(conn)
    write(
        db,
        "insert into observational.lead_events (source_table, source_pk, event_date, person_key,"
        " scout_id, payload_json) select 'y', person_key::text, '2026-03-02', person_key, 7,"
        " '{\"scout_id\": 8}' from canon.identity_registry where primary_document is not null",
    )
    conflicts = next(r for r in assess(db).reasons if r.indicator == "conflicts")
    assert (conflicts.status, conflicts.value) == ("FAIL", 101)
    assert conflicts.text == "101 open conflicts"
    write(db, "delete from observational.lead_events where person_key = (select person_key"
              " from observational.lead_events limit 1)")  # fmt: skip
    conflicts = next(r for r in assess(db).reasons if r.indicator == "conflicts")
    assert (conflicts.status, conflicts.value) == ("WARN", 100)
