"""Runs as they were: listed by filter, each with steps, reasons, audit rows and seal."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from scout_core.access.permissions import Actor
from scout_core.db.database import ADMIN, LOOK, Database
from scout_core.errors import BadInput, NotFound
from scout_core.lists.paging import Page
from scout_core.runs import audit, history
from scout_core.runs.audit import AuditFilters, AuditRow
from scout_core.runs.history import PastRun, RunFilters, RunReport
from tests.support import job as running
from tests.support.looking import installed

PAST = """
insert into ops.ingestion_runs (job_type, status, started_at, completed_at, stats)
values
    ('scout_attribution_refresh', 'COMPLETED', '2026-01-01 03:00Z', '2026-01-01 03:10Z', '[1]'),
    ('scout_attribution_refresh', 'FAILED', '2026-01-01 07:00Z', '2026-01-01 07:00:01Z', null),
    ('scout_attribution_refresh', 'COMPLETED', 'infinity', null, '{"steps": {"link": 3}}'),
    ('identity_run', 'COMPLETED', '2026-01-01 08:00Z', '2026-01-01 09:00Z', null)
"""


@dataclass(frozen=True)
class Story:
    """Three rows of another program, a run that changed much, and one that changed nothing."""

    db: Database
    changing: int
    idle: int


@pytest.fixture(scope="module")
def story(server_url: str) -> Iterator[Story]:
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            conn.execute(text(PAST))
        running.story(db.url)
        changing = running.refresh(db, force=True, reason="first run of a test").run_id
        idle = running.refresh(db, actor=Actor("cron", "operator"), trigger="cron").run_id
        running.do(
            db.url,
            "update observational.lead_ledger set attributed_scout_id = 6"
            f" where person_key = '{running.key('dora')}'",
        )
        yield Story(db, changing, idle)


def runs(db: Database, **given: Any) -> Page[PastRun]:
    sort = given.pop("sort", "newest")
    with db.transaction(LOOK) as conn:
        return history.list_runs(conn, RunFilters(**given), sort=sort)


def rows(db: Database, table: str, **given: Any) -> Page[AuditRow]:
    sort = given.pop("sort", "newest")
    with db.transaction(LOOK) as conn:
        return audit.list_rows(conn, table, AuditFilters(**given), sort=sort)


def report(db: Database, run_id: int) -> RunReport:
    with db.transaction(LOOK) as conn:
        return history.explain_run(conn, run_id)


def test_runs_are_newest_first_and_those_of_other_programs_are_not_there(story: Story) -> None:
    page = runs(story.db)
    assert page.total == len(page.rows) == 5
    ours = page.rows[:2]
    assert [(r.run_id, r.actor, r.trigger, r.reason) for r in ours] == [
        (story.idle, "cron", "cron", None),
        (story.changing, "olga", "manual", "first run of a test"),
    ]
    assert [(r.link_count, r.scout_count) for r in ours] == [(0, 0), (3, 2)]
    assert [(r.kind, r.actor, r.link_count) for r in page.rows[2:]] == [("refresh", None, None)] * 3
    assert page.rows[-1].started_at is None


def test_longest_run_is_first_and_one_without_an_end_is_last(story: Story) -> None:
    listed = runs(story.db, sort="longest").rows
    assert listed[0].duration_seconds == 600
    assert listed[-1].duration_seconds is None


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"kind": "refresh"}, 5),
        ({"kind": "undo"}, 0),
        ({"status": "FAILED"}, 1),
        ({"trigger": "cron"}, 1),
        ({"actor": "olga"}, 1),
        ({"actor": "ol%"}, 0),
        ({"changed_only": True}, 1),
        ({"since": date(2025, 12, 31), "until": date(2025, 12, 31)}, 1),
        ({"since": date(2026, 1, 1), "until": date(2026, 1, 1)}, 1),
    ],
)
def test_runs_are_filtered_by_what_they_were_in_days_of_lima(
    story: Story, given: dict[str, Any], count: int
) -> None:
    assert runs(story.db, **given).total == count


@pytest.mark.parametrize(
    "given",
    [{"kind": "Z"}, {"status": "done"}, {"trigger": "x"}, {"actor": "a\0"}, {"sort": "Z"}],
)
def test_filter_that_cannot_be_is_told(story: Story, given: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        runs(story.db, **given)


def test_run_tells_its_steps_with_rules_and_reasons(story: Story) -> None:
    told = report(story.db, story.changing)
    assert [step.name for step in told.steps] == ["link", "propagate", "record"]
    link, propagate, record = told.steps
    assert (link.seen, link.changed) == (4, 3)
    assert sum(link.by_rule.values()) == link.changed
    assert link.skipped == {"NO_IDENTIFIERS": 1}
    assert (propagate.changed, propagate.skipped) == (2, {"SEVERAL_SCOUTS": 1})
    assert record.facts["metrics.total_persons"] == 6
    assert all(step.seconds >= 0 for step in told.steps)


def test_run_shows_the_seal_that_covers_its_audit(story: Story) -> None:
    told = report(story.db, story.changing)
    with story.db.transaction(LOOK) as conn:
        counts = audit.count_of_run(conn, story.changing)
    assert told.seal is not None
    assert told.seal.row_count == sum(c.row_count for c in counts)
    assert (told.seal.run_id, len(told.seal.seal_hash)) == (story.changing, 64)
    idle = report(story.db, story.idle)
    assert idle.seal is not None
    assert idle.seal.previous_hash == told.seal.seal_hash


@pytest.mark.parametrize("run_id", [0, -1, 999_999, 2**31, 10**20])
def test_run_that_there_is_not_is_one_sentence(story: Story, run_id: int) -> None:
    with pytest.raises(NotFound, match="There is no run"):
        report(story.db, run_id)


def test_run_of_another_program_is_told_without_what_it_did_not_keep(story: Story) -> None:
    for run in runs(story.db).rows[2:]:
        told = report(story.db, run.run_id)
        assert (told.steps, told.seal, told.host) == ((), None, None)


def test_audit_of_a_run_is_what_it_counted_by_rule_and_reason(story: Story) -> None:
    with story.db.transaction(LOOK) as conn:
        counts = audit.count_of_run(conn, story.changing)
        nothing = audit.count_of_run(conn, story.idle)
    assert nothing == ()
    assert {c.table_name for c in counts} == {"ledger", "links"}
    for count in counts:
        page = rows(story.db, count.table_name, run_id=story.changing, method=count.method)
        assert page.total == len(page.rows) == count.row_count
        assert {row.method for row in page.rows} == {count.method}


def test_audit_row_tells_before_and_after_and_whose_it_was(story: Story) -> None:
    newest = rows(story.db, "ledger").rows[0]
    assert (newest.method, newest.run_id) == ("EXTERNAL_CHANGE", None)
    assert (newest.person_key, newest.old_scout_id, newest.new_scout_id) == (
        str(running.key("dora")),
        5,
        6,
    )
    ours = rows(story.db, "ledger", actor="olga").rows
    assert {row.person_key for row in ours} == {str(running.key(n)) for n in ("ana", "beto")}
    assert {row.action for row in ours} == {"INSERTED", "UPDATED"}
    assert {row.old_scout_id for row in ours} == {None}


def test_audit_is_found_by_person_day_and_in_both_orders(story: Story) -> None:
    key = str(running.key("ana"))
    assert [r.person_key for r in rows(story.db, "ledger", person=key[:8]).rows] == [key]
    newest, oldest = rows(story.db, "links").rows, rows(story.db, "links", sort="oldest").rows
    assert newest == oldest[::-1]
    assert len(newest) == 4
    assert rows(story.db, "links", until=date(2026, 1, 1)).total == 0
    assert rows(story.db, "links", since=date(2026, 1, 1)).total == 4
    assert rows(story.db, "events").total == 0


@pytest.mark.parametrize(
    ("table", "given"),
    [
        ("decisions", {}),
        ("ledger", {"sort": "Z"}),
        ("ledger", {"method": "a\0"}),
        ("ledger", {"run_id": 0}),
        ("ledger", {"actor": "\ud800"}),
        ("ledger", {"since": date(2026, 1, 2), "until": date(2026, 1, 1)}),
    ],
)
def test_audit_filter_that_cannot_be_is_told(
    story: Story, table: str, given: dict[str, Any]
) -> None:
    with pytest.raises(BadInput):
        rows(story.db, table, **given)


@pytest.mark.parametrize("person", ["x", "é", "--", "0" * 36])
def test_part_of_a_key_that_is_none_finds_nothing(story: Story, person: str) -> None:
    assert rows(story.db, "ledger", person=person).total == 0
