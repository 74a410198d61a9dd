"""The protocol of a run: recorded, refused, attached, all or nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from scout_core.access.permissions import Actor
from scout_core.db.database import CONTROL, Database
from scout_core.errors import DatabaseError, PermissionDenied, RunFailed
from scout_core.runs.record import execute
from tests.support import factories as new
from tests.support.job import (
    OPERATOR,
    RULE,
    at_point,
    broken,
    crowd,
    do,
    events_of,
    key,
    refresh,
    rows,
    run_states,
    scouts,
    story,
    value,
    writing,
)
from tests.support.state import effects, fingerprint

BACKFILL_AUDITS = (
    "ops.identity_links_backfill_audit",
    "ops.lead_ledger_scout_backfill_audit",
    "ops.lead_events_scout_backfill_audit",
)


def test_run_gives_the_one_scout_and_leaves_the_rest(db: Database, db_url: str):
    story(db_url)
    refresh(db)
    assert scouts(db_url) == {key("ana"): 7, key("beto"): 8, key("dora"): 5}
    assert rows(
        db_url,
        "select a.old_attributed_scout_id, a.new_attributed_scout_id, a.is_new_row, k.evidence,"
        " a.evidence_json_new -> 'scout_backfill' ->> 'rule', a.actor"
        " from ops.lead_ledger_scout_backfill_audit as a"
        " left join scout.ledger_evidence_kept as k on k.audit_id = a.id"
        f" where a.backfill_method = '{RULE}' order by a.new_attributed_scout_id",
    ) == [
        (None, 7, False, {"kept": 1}, RULE, "olga"),
        (None, 8, True, None, RULE, "olga"),
    ]


def test_run_ends_completed_with_its_counts_and_its_seal(db: Database, db_url: str):
    story(db_url)
    result = refresh(db)
    assert result.status == "COMPLETED"
    assert result.completed_at is not None
    assert result.completed_at > result.started_at
    link, propagate = result.stats["steps"]["link"], result.stats["steps"]["propagate"]
    assert (link["seen"], link["changed"], link["new_persons"]) == (4, 3, 1)
    assert link["skipped"] == {"NO_IDENTIFIERS": 1}
    assert (propagate["seen"], propagate["changed"], propagate["inserted"]) == (3, 2, 1)
    assert propagate["skipped"] == {"SEVERAL_SCOUTS": 1}
    sealed = rows(db_url, "select seal_no, run_id, row_count, seal_hash from scout.seals")
    seal = result.stats["seal"]
    # 3 links and 1 reason, 2 scouts; before it the scout that somebody else had given dora
    assert sealed[0][:3] == (1, result.run_id, 1)
    assert sealed[1:] == [(seal["seal_no"], result.run_id, 6, seal["sha256"])]
    assert seal["of_others"] == 1
    assert broken(db) == {}


def test_log_of_a_run_has_start_steps_and_end(db: Database, db_url: str):
    story(db_url)
    run_id = refresh(db).run_id
    assert events_of(db_url, run_id) == [
        ("STARTED", None),
        ("STEP", "link"),
        ("STEP", "propagate"),
        ("STEP", "record"),
        ("COMPLETED", None),
    ]
    assert rows(db_url, "select kind, trigger, actor, is_forced from scout.runs") == [
        ("refresh", "manual", "olga", False)
    ]


def test_second_run_changes_nothing_and_audits_nothing(db: Database, db_url: str):
    story(db_url)
    refresh(db)
    tables = (
        "canon.identity_registry",
        "canon.identity_links",
        "canon.identity_unmatched",
        "observational.lead_ledger",
        "observational.lead_events",
        *BACKFILL_AUDITS,
    )
    before = fingerprint(db_url, *tables)
    second = refresh(db)
    # a lock on a row would show as well
    assert fingerprint(db_url, *tables) == before
    assert second.stats["steps"]["link"]["changed"] == 0
    assert second.stats["steps"]["link"]["reasons_written"] == 0
    assert second.stats["steps"]["propagate"]["changed"] == 0
    assert second.stats["seal"]["rows"] == 0
    assert broken(db) == {}


@pytest.mark.parametrize("role", ["viewer", "analyst"])
def test_role_that_may_not_run_is_refused_and_leaves_no_trace(db: Database, db_url: str, role):
    story(db_url)
    before = fingerprint(db_url)
    with pytest.raises(PermissionDenied, match=f"olga is {role}") as refused:
        refresh(db, actor=Actor("olga", role))
    assert refused.value.exit_code == 3
    assert fingerprint(db_url) == before
    assert refresh(db, actor=Actor("olga", "admin")).status == "COMPLETED"


def test_same_request_twice_is_one_run(db: Database, db_url: str):
    story(db_url)
    first = refresh(db, request_id="click 1")
    before = fingerprint(db_url)
    again = refresh(db, request_id="click 1")
    assert (again.run_id, again.status, again.is_attached) == (first.run_id, "COMPLETED", True)
    assert again.stats == first.stats
    assert fingerprint(db_url) == before
    assert refresh(db, request_id="click 2").run_id != first.run_id


def test_same_request_is_answered_with_its_failure_too(db: Database, db_url: str, monkeypatch):
    def fails() -> None:
        raise ValueError

    at_point(monkeypatch, "mid work", fails)
    with pytest.raises(ValueError):  # noqa: PT011 - whatever a step raises
        refresh(db, request_id="click 1")
    again = refresh(db, request_id="click 1")
    assert (again.status, again.is_attached) == ("FAILED", True)
    assert len(run_states(db_url)) == 1


def test_manual_request_attaches_to_a_success_that_started_after_it(db: Database, db_url: str):
    clicked = datetime.now(UTC) - timedelta(seconds=1)
    done = refresh(db, trigger="cron")
    attached = refresh(db, requested_at=clicked)
    assert (attached.run_id, attached.is_attached) == (done.run_id, True)
    assert value(db_url, "select count(*) from scout.runs") == 1


@pytest.mark.parametrize(
    ("how", "age"),
    [
        pytest.param({}, 0, id="click after its start"),
        pytest.param({"trigger": "cron"}, 60, id="scheduler"),
        pytest.param({"force": True, "reason": "looked at the plan"}, 60, id="forced"),
    ],
)
def test_request_that_wants_a_run_of_its_own_gets_one(db: Database, how, age):
    done = refresh(db)
    later = refresh(db, requested_at=datetime.now(UTC) - timedelta(seconds=age), **how)
    assert later.run_id > done.run_id
    assert not later.is_attached


def test_success_of_long_ago_answers_no_click(db: Database, db_url: str):
    done = refresh(db)
    do(
        db_url,
        "update ops.ingestion_runs set started_at = now() - interval '90 s',"
        " completed_at = now() - interval '61 s'",
    )
    later = refresh(db, requested_at=datetime.now(UTC) - timedelta(seconds=120))
    assert later.run_id > done.run_id


def test_error_of_a_step_leaves_it_failed_and_no_effect(db: Database, db_url: str):
    story(db_url)
    before = effects(db_url)
    # the last step fails, when links and scouts are written
    do(
        db_url,
        "create function public.test_refuse() returns trigger language plpgsql"
        " as $$ begin raise exception 'no room for numbers'; end $$",
        "create trigger test_refuse before insert on scout.metrics_history"
        " for each row execute function public.test_refuse()",
    )
    with pytest.raises(DatabaseError, match="a rule of its own"):
        refresh(db)
    assert effects(db_url) == before
    assert run_states(db_url) == [
        ("FAILED", "The database refused a statement (a rule of its own, SQLSTATE P0001).")
    ]
    run_id = value(db_url, "select run_id from scout.runs")
    assert events_of(db_url, run_id)[0] == ("STARTED", None)
    assert events_of(db_url, run_id)[-1] == ("FAILED", None)
    # what others had written before it is sealed all the same
    sealed = rows(db_url, "select covered_run_ids, row_count from scout.seals")
    assert sealed == [([], 1)]
    do(db_url, "drop trigger test_refuse on scout.metrics_history")
    assert broken(db) == {}
    refresh(db)
    assert scouts(db_url)[key("ana")] == 7


def test_unexpected_error_says_its_kind_and_no_value(db: Database, db_url: str, monkeypatch):
    def fails() -> None:
        raise ValueError("Ana Quispe, 999888777")

    at_point(monkeypatch, "mid work", fails)
    with pytest.raises(ValueError, match="Ana"):
        refresh(db)
    assert run_states(db_url) == [("FAILED", "ValueError: stopped by an unexpected error")]


def test_run_closed_by_somebody_else_keeps_nothing(db: Database, db_url: str, monkeypatch):
    story(db_url)
    before = effects(db_url)
    close = (
        "update ops.ingestion_runs set status = 'FAILED', completed_at = now(),"
        " error_message = 'closed by hand' where status = 'RUNNING'"
    )
    at_point(monkeypatch, "mid work", lambda: do(db_url, close))
    with pytest.raises(RunFailed, match="closed by somebody else"):
        refresh(db)
    assert effects(db_url) == before
    assert run_states(db_url) == [("FAILED", "closed by hand")]


def test_finished_run_never_changes_state_again(db: Database, db_url: str, monkeypatch):
    def fails() -> None:
        raise ValueError

    completed = refresh(db).run_id
    at_point(monkeypatch, "mid work", fails)
    with pytest.raises(ValueError):  # noqa: PT011 - whatever a step raises
        refresh(db)
    failed = completed + 1
    before = fingerprint(db_url, "ops.ingestion_runs", "ops.job_runs_audit")
    job_type = "scout_attribution_refresh"
    with db.transaction(CONTROL) as conn:
        for run_id in (completed, failed):
            end = {"run_id": run_id, "stats": "{}", "actor": OPERATOR.name}
            assert execute(conn, "complete", **end).rowcount == 0
            assert execute(conn, "fail", reason="again", **end).rowcount == 0
        assert execute(conn, "close_lost", job_type=job_type, actor=OPERATOR.name).all() == []
    assert fingerprint(db_url, "ops.ingestion_runs", "ops.job_runs_audit") == before
    assert [state for state, _ in run_states(db_url)] == ["COMPLETED", "FAILED"]


def test_points_of_a_run_come_in_the_order_of_the_protocol(db: Database, monkeypatch):
    passed = at_point(monkeypatch, "", lambda: None)
    refresh(db)
    assert passed == ["after lock", "after run row", "mid work", "before commit", "after commit"]


def test_two_running_rows_of_the_job_are_impossible(db: Database, db_url: str, monkeypatch):
    """The backstop, should the lock ever fail: a unique index on running rows."""
    row = (
        "insert into ops.ingestion_runs (job_type, status)"
        " values ('scout_attribution_refresh', 'RUNNING')"
    )
    refused = []

    def second() -> None:
        with pytest.raises(Exception, match="duplicate key") as exc:
            do(db_url, row)
        refused.append(exc)

    at_point(monkeypatch, "mid work", second)
    assert refresh(db).status == "COMPLETED"
    assert len(refused) == 1


def test_crowd_is_not_touched(db: Database, db_url: str):
    with writing(db_url) as conn:
        crowd(conn)
        new.lead_event(conn, person=None, scout=7)
    before = fingerprint(db_url, "canon.identity_registry", "observational.lead_events")
    result = refresh(db)
    assert fingerprint(db_url, "canon.identity_registry", "observational.lead_events") == before
    assert result.stats["steps"]["propagate"] == {
        "seen": 0,
        "changed": 0,
        "inserted": 0,
        "skipped": {},
    }
