"""The lights against the text of the rules: clocks that jump, missed times, runs that hang."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_core.health import verdict as health
from scout_core.health.freshness import Source
from scout_core.health.lights import LastRun, Reason, judge_runs, judge_scheduler, judge_sources
from scout_core.health.states import Status, worst
from scout_core.health.verdict import Verdict
from scout_core.settings import load

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
SETTINGS = load(
    {
        "SCOUT_HEALTH_LATE_MINUTES": "260",
        "SCOUT_HEALTH_STUCK_MINUTES": "60",
        "SCOUT_HEALTH_SCHEDULER_MINUTES": "250",
    },
    dotenv=None,
)
MINUTE = timedelta(minutes=1)


def a_run(
    status: str,
    minutes_ago: float,
    *,
    run_id: int = 1,
    error: str | None = None,
    trigger: str = "cron",
) -> LastRun:
    """A run that ended, or when it runs started, so long ago; negative = in the time to come."""
    at = NOW - minutes_ago * MINUTE
    if status == "RUNNING":
        return LastRun(run_id, status, at, None, None, trigger)
    return LastRun(run_id, status, at - MINUTE, at, error, trigger)


def by_the_text(runs: list[LastRun]) -> str:
    """The worst of the sentences of the runbook that are true of these runs, newest first."""
    ended = [run for run in runs if run.status != "RUNNING"][:1]
    running = [run for run in runs if run.status == "RUNNING"][:1]
    true: dict[Status, bool] = {
        "FAIL": any(run.status == "FAILED" for run in ended),
        "UNKNOWN": not runs
        or any(run.completed_at > NOW + 5 * MINUTE for run in ended)
        or any(run.started_at > NOW + 5 * MINUTE for run in running),
        "WARN": any(NOW - run.started_at > 60 * MINUTE for run in running)
        or any(NOW - run.completed_at > 260 * MINUTE for run in ended),
        "OK": True,
    }
    return worst(state for state, holds in true.items() if holds)


minutes = st.one_of(
    st.sampled_from([0, 59, 60, 61, 249, 250, 251, 259, 260, 261, -4, -5, -6]),
    st.integers(-10_000, 10_000),
)


@given(
    st.lists(
        st.builds(
            a_run,
            st.sampled_from(["RUNNING", "COMPLETED", "FAILED"]),
            minutes,
            trigger=st.sampled_from(["cron", "manual", "api"]),
        ),
        max_size=4,
    )
)
def test_lights_of_the_job_are_what_the_text_says_of_any_last_runs(runs):
    assert judge_runs(runs, SETTINGS, NOW).status == by_the_text(runs)
    beats = [run.started_at for run in runs if run.trigger == "cron"][:1]
    silent = {
        "UNKNOWN": not beats or beats[0] > NOW + 5 * MINUTE,
        "WARN": any(NOW - beat > 250 * MINUTE for beat in beats),
        "OK": True,
    }
    light = judge_scheduler(runs, SETTINGS, NOW)
    assert light.status == worst(state for state, holds in silent.items() if holds)


@pytest.mark.parametrize(
    ("runs", "states", "text"),
    [
        # a clock that was set back: what ended lies ahead, however far
        ([a_run("COMPLETED", -7)], "UNKNOWN UNKNOWN", "dated 7 min from now: a clock was set"),
        ([a_run("COMPLETED", -4)], "OK OK", "completed less than a minute ago"),
        ([a_run("RUNNING", -90), a_run("COMPLETED", 200)], "UNKNOWN UNKNOWN", "1 h 30 min from"),
        # a clock that was set forward: everything is old at once
        ([a_run("COMPLETED", 60 * 24 * 3)], "WARN WARN", "completed 3 days ago: late"),
        # a time that cron missed, with and without somebody who runs it by hand
        ([a_run("COMPLETED", 249)], "OK OK", "on schedule"),
        ([a_run("COMPLETED", 250)], "OK WARN", "on schedule"),
        ([a_run("COMPLETED", 261)], "WARN WARN", "late"),
        ([a_run("COMPLETED", 5, trigger="manual"), a_run("COMPLETED", 300)], "OK WARN", "5 min"),
        ([a_run("COMPLETED", 5, trigger="manual")], "OK UNKNOWN", "5 min"),
        # the scheduler is alive although what it starts fails
        ([a_run("FAILED", 5)], "FAIL OK", "failed"),
        # a run that hangs
        ([a_run("RUNNING", 60), a_run("COMPLETED", 90)], "OK OK", "on schedule"),
        ([a_run("RUNNING", 61), a_run("COMPLETED", 90)], "WARN OK", "has run for 1 h 1 min"),
        ([a_run("RUNNING", 251), a_run("COMPLETED", 259)], "WARN WARN", "has run for 4 h 11 min"),
    ],
)
def test_light_says_what_is_wrong_within_its_time(runs, states, text):
    last_run, scheduler = (judge(runs, SETTINGS, NOW) for judge in (judge_runs, judge_scheduler))
    assert f"{last_run.status} {scheduler.status}" == states
    assert text in last_run.text


def a_source(status: Status, *, counted: float = 1, name: str = "public.a") -> Source:
    return Source(name, status, NOW, 0, 10.0, 2, NOW - counted * MINUTE, None)


@pytest.mark.parametrize(
    ("sources", "state", "text"),
    [
        ([], "UNKNOWN", "the sources were never counted"),
        ([a_source("OK"), a_source("UNKNOWN")], "OK", "1 source arrives as usual"),
        ([a_source("UNKNOWN")], "UNKNOWN", "no source has a row"),
        ([a_source("OK"), a_source("WARN")], "WARN", "public.a had far fewer rows than usual"),
        ([a_source("WARN"), a_source("STALE", name="b")], "STALE",
         "b has had no row on 2 working days in a row"),
        ([a_source("OK", counted=260)], "OK", "1 source arrives"),
        ([a_source("OK", counted=261)], "UNKNOWN", "last counted 4 h 21 min ago"),
        ([a_source("OK", counted=-6)], "UNKNOWN", "a clock was set"),
    ],
)  # fmt: skip
def test_sources_are_the_worst_that_has_rows_as_long_as_they_were_counted(sources, state, text):
    light = judge_sources(sources, SETTINGS, NOW)
    assert light.status == state
    assert text in light.text


def a_verdict(runs, *, share: Status = "OK", sources=()) -> Verdict:
    """As `assess` puts it together."""
    reasons = (
        Reason("satisfactory", share, 60.0, "", None, "60.00 % of 10 persons have their scout"),
        Reason("conflicts", "OK", 0, "", None, "0 open conflicts"),
        judge_runs(runs, SETTINGS, NOW),
    )
    lights = (
        judge_scheduler(runs, SETTINGS, NOW),
        reasons[2],
        judge_sources(sources, SETTINGS, NOW),
    )
    status = worst(r.status for r in reasons)
    return Verdict(status, reasons, lights, tuple(runs), tuple(sources))


LOST, GUARD = "worker lost", "guard: it would change 20,000 rows"


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (a_verdict([a_run("COMPLETED", 5)]), []),
        (a_verdict([a_run("FAILED", 5, error="no room")]), ["JOB_FAILED FAIL"]),
        (a_verdict([a_run("FAILED", 5, error=GUARD)]), ["GUARD_STOPPED FAIL"]),
        (a_verdict([a_run("FAILED", 5, error=LOST)]), ["WORKER_LOST FAIL"]),
        (a_verdict([a_run("RUNNING", 1), a_run("FAILED", 5, error=LOST)]), ["WORKER_LOST FAIL"]),
        (a_verdict([a_run("COMPLETED", 1), a_run("FAILED", 5, error=LOST)]), ["WORKER_LOST WARN"]),
        (a_verdict([a_run("COMPLETED", 1), a_run("COMPLETED", 3), a_run("FAILED", 5, error=LOST)]),
         []),
        (a_verdict([a_run("COMPLETED", 1), a_run("FAILED", 5, error=GUARD)]), []),
        (a_verdict([a_run("COMPLETED", 300)]), ["JOB_LATE WARN"]),
        (a_verdict([a_run("RUNNING", 90), a_run("COMPLETED", 95)]), ["JOB_LATE WARN"]),
        (a_verdict([a_run("COMPLETED", 1, trigger="manual"), a_run("COMPLETED", 300)]),
         ["JOB_LATE WARN"]),
        (a_verdict([a_run("FAILED", 1, trigger="manual"), a_run("COMPLETED", 300)]),
         ["JOB_FAILED FAIL", "JOB_LATE WARN"]),
        (a_verdict([a_run("COMPLETED", 5)], share="WARN"), ["HEALTH_CHANGED WARN"]),
        (a_verdict([a_run("COMPLETED", 5)], share="FAIL"), ["HEALTH_CHANGED FAIL"]),
        (a_verdict([a_run("FAILED", 5)], share="WARN"), ["JOB_FAILED FAIL", "HEALTH_CHANGED WARN"]),
        # nobody else says that the age cannot be told, or that nothing ever ran
        (a_verdict([a_run("COMPLETED", -90)]), ["HEALTH_CHANGED WARN"]),
        (a_verdict([]), ["HEALTH_CHANGED WARN"]),
        (a_verdict([a_run("COMPLETED", 5)], sources=[a_source("STALE"), a_source("WARN")]),
         ["SOURCE_STALE WARN"]),
        (a_verdict([a_run("COMPLETED", 5)], sources=[a_source("STALE", counted=300)]), []),
    ],
)  # fmt: skip
def test_one_cause_is_one_condition(verdict, expected):
    found = health.conditions(verdict)
    assert [f"{c.rule} {c.severity}" for c in found] == expected
    subjects = {"HEALTH_CHANGED": "overall", "SOURCE_STALE": "public.a"}
    for condition in found:
        assert condition.subject == subjects.get(condition.rule, "scout_attribution_refresh")
        assert condition.person_key is None


def test_condition_of_the_job_names_its_run():
    (condition,) = health.conditions(a_verdict([a_run("FAILED", 5, run_id=17, error="no room")]))
    assert condition.text == "run 17 failed: no room"


def test_worst_of_five_states_in_their_order():
    assert get_args(Status) == ("OK", "WARN", "STALE", "UNKNOWN", "FAIL")
    assert worst(["STALE", "OK", "WARN"]) == "STALE"
    assert worst(["UNKNOWN", "STALE"]) == "UNKNOWN"
    assert worst([]) == "OK"
