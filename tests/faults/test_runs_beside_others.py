"""What others commit at the worst moment, and what the run says of what it left."""

import threading
import time

import pytest
from sqlalchemy import text

from scout_core.attribution import persons
from scout_core.db.database import CHECK, LOOK, Database
from scout_core.errors import PermissionDenied
from scout_core.job import refresh
from tests.support import factories as new
from tests.support.job import (
    at_point,
    broken,
    do,
    key,
    rows,
    run_states,
    scouts,
    settings,
    story,
    value,
    writing,
)
from tests.support.job import refresh as run_job

DECISION = (
    "insert into scout.decisions (person_key, outcome, considered_scout_ids, reason_code, note,"
    " actor) values ('{}', 'NO_SCOUT', '{{7}}', 'OTHER', 'nobody brought this person', 'olga')"
)


def test_decision_that_commits_after_a_later_one_is_respected(
    db: Database, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids commit out of order: the earlier decision becomes visible while the ledger is written."""
    story(db_url)
    do(
        db_url,
        "create function public.test_wait() returns trigger language plpgsql security definer"
        " as $$ begin perform pg_advisory_xact_lock_shared(43); return new; end $$",
        "create trigger test_wait before insert or update on observational.lead_ledger"
        " for each row execute function public.test_wait()",
    )
    with writing(db_url) as gate, writing(db_url) as early:
        early.exec_driver_sql(DECISION.format(key("ana")))
        do(db_url, DECISION.format(key("eva")))
        gate.exec_driver_sql("select pg_advisory_xact_lock(43)")
        job = threading.Thread(target=lambda: run_job(db))
        job.start()
        deadline = time.monotonic() + 20
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while not value(db_url, waiting) and time.monotonic() < deadline:
            time.sleep(0.05)
        early.commit()
        gate.commit()
        job.join()
    assert key("ana") not in {p for p, s in scouts(db_url).items() if s is not None}
    assert scouts(db_url)[key("beto")] == 8
    # a decision that no run of ours wrote waits for no seal, and verify says so
    assert broken(db).keys() == {"runs_are_sealed"}


def test_row_that_another_links_meanwhile_is_judged_anew(
    db: Database, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody links the row that was to found a person; its sister row then matches by licence."""
    with writing(db_url) as conn:
        first = new.scouting_row(conn, scout=6, license="nuevo-100")
        second = new.scouting_row(conn, scout=6, license="nuevo-100")
        other = new.person(conn, key=key("other"))

    def link() -> None:
        with writing(db_url) as conn:
            new.link(conn, person=other, table="module_ct_scouting_daily", pk=str(first))

    at_point(monkeypatch, "mid work", link)
    run_job(db)
    links = dict(rows(db_url, "select source_pk, person_key from canon.identity_links"))
    assert links == {str(first): other, str(second): other}
    assert [state for state, _ in run_states(db_url)] == ["COMPLETED"]
    assert broken(db) == {}


def test_emptied_ledger_is_noted_row_by_row(db: Database, db_url: str) -> None:
    story(db_url)
    run_job(db)
    before = {p for p, s in scouts(db_url).items() if s is not None}
    do(db_url, "truncate observational.lead_ledger")
    noted = rows(
        db_url,
        "select person_key from ops.lead_ledger_scout_backfill_audit"
        " where backfill_method = 'EXTERNAL_CHANGE' and new_attributed_scout_id is null",
    )
    assert {row[0] for row in noted} == before
    assert broken(db) == {}


def test_variable_of_our_runs_hides_nobody_elses_change(db: Database, db_url: str) -> None:
    story(db_url)
    do(db_url, "create role test_stranger nologin") if not value(
        db_url, "select count(*) from pg_roles where rolname = 'test_stranger'"
    ) else None
    do(
        db_url,
        "grant usage on schema observational to test_stranger",
        "grant select, update on observational.lead_ledger to test_stranger",
    )
    with writing(db_url) as conn:
        conn.exec_driver_sql("set local role test_stranger")
        conn.exec_driver_sql("select set_config('scout.run_id', '1', true)")
        conn.execute(
            text(
                "update observational.lead_ledger set attributed_scout_id = 6 where person_key = :p"
            ),
            {"p": key("dora")},
        )
    found = rows(
        db_url,
        "select old_attributed_scout_id, new_attributed_scout_id"
        " from ops.lead_ledger_scout_backfill_audit where person_key = :p order by id desc limit 1",
        p=key("dora"),
    )
    assert found == [(5, 6)]
    do(db_url, "drop owned by test_stranger")


@pytest.mark.parametrize("grant", ["insert on {}", "update (amount) on {}"])
def test_right_on_one_column_of_claims_stops_the_job(db: Database, db_url: str, grant: str) -> None:
    do(
        db_url,
        'create table public."Pagos_Yango" (amount numeric)',
        "grant " + grant.format('public."Pagos_Yango"') + " to scout_writer",
    )
    with pytest.raises(PermissionDenied):
        run_job(db)
    assert "job_cannot_write_claims" in broken(db)


def test_writer_cannot_say_when_an_audit_row_was_written(db: Database, db_url: str) -> None:
    refused = []
    for column in ("id", "backfill_timestamp"):
        refused.append(
            value(
                db_url,
                "select has_column_privilege('scout_writer',"
                " 'ops.lead_ledger_scout_backfill_audit', :c, 'insert')",
                c=column,
            )
        )
    assert refused == [False, False]
    assert value(
        db_url,
        "select has_column_privilege('scout_writer',"
        " 'ops.lead_ledger_scout_backfill_audit', 'person_key', 'insert')",
    )


def test_plan_says_the_same_reasons_as_the_run(db: Database, db_url: str) -> None:
    """A person whom a link of the same run keeps from getting a scout is among them."""
    story(db_url)
    with writing(db_url) as conn:
        new.scouting_row(conn, scout=9, license="ana-100")
    with db.transaction(CHECK) as conn:
        planned = refresh.plan(conn, settings())
    done = run_job(db).stats["steps"]["propagate"]
    assert dict(planned.skipped_scouts) == done["skipped"]
    assert done["skipped"] == {"OTHER_SOURCE_DISAGREES": 1, "SEVERAL_SCOUTS": 1}
    assert done["seen"] == done["changed"] + sum(done["skipped"].values())


def test_decided_person_with_new_evidence_is_told_as_a_conflict(db: Database, db_url: str) -> None:
    story(db_url)
    do(db_url, DECISION.format(key("ana")))
    with writing(db_url) as conn:
        new.lead_event(conn, person=key("ana"), scout=9)
    with db.transaction(LOOK) as conn:
        told = persons.explain(conn, str(key("ana")))
    assert "NEW_EVIDENCE" in told.verdict
    assert told.next_action == "Decide the conflict."
    action = "select next_action from ops.v_persons_without_scout_categorized where person_key = :p"
    assert value(db_url, action, p=key("ana")) == "Decidir el conflicto"
    assert value(db_url, action, p=key("eva")) != "Decidir el conflicto"


def test_each_reason_has_its_words_in_both_places(db: Database, db_url: str) -> None:
    """The reasons that the state view gives are those that explain and the backlog view know."""
    view = value(db_url, "select pg_get_viewdef('scout.v_person_attribution_live')")
    view += value(
        db_url, "select pg_get_functiondef('scout.reason_now(text, integer)'::regprocedure)"
    )
    backlog = value(db_url, "select pg_get_viewdef('ops.v_persons_without_scout_categorized')")
    for reason in persons.REASONS:
        assert f"'{reason}'" in view
    by_conflict = {"SEVERAL_SCOUTS", "OTHER_SOURCE_DISAGREES"}
    for reason in persons.REASONS.keys() - by_conflict:
        assert f"'{reason}'" in backlog
