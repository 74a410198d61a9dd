"""What a run may change: the guard, the plan that writes nothing, the batches."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from scout_core import cli
from scout_core.db.database import CHECK, Database
from scout_core.errors import GuardStopped
from scout_core.job.refresh import plan
from tests.support import databases
from tests.support import factories as new
from tests.support.job import (
    broken,
    crowd,
    events_of,
    key,
    refresh,
    rows,
    run_states,
    scouts,
    settings,
    story,
    value,
    writing,
)
from tests.support.state import effects, fingerprint

REASON = "looked at the plan with Olga"
WAITING = 3


@pytest.fixture
def twin_url(server_url: str) -> Iterator[str]:
    """URL of a second database like `db`."""
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        yield url


@pytest.fixture
def waiting_url(db: Database, db_url: str) -> str:
    """The database after its first run: ten persons, three of whom wait for their scout."""
    with writing(db_url) as conn:
        crowd(conn, 10 - WAITING)
    refresh(db)
    with writing(db_url) as conn:
        for n in range(WAITING):
            new.lead_event(conn, person=new.person(conn, key=key(f"waits {n}")), scout=7)
    return db_url


@pytest.fixture
def verb(db_url: str, monkeypatch, capsys) -> Any:
    """Run a verb of the command line: exit code, and what --json printed."""
    monkeypatch.setenv("DATABASE_URL", db_url)

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        code = cli.run([*arguments, "--json"])
        printed = capsys.readouterr().out
        return code, json.loads(printed) if printed else {}

    return run


LIMITS = [
    pytest.param({"SCOUT_GUARD_MAX_ROWS": "2"}, "more than SCOUT_GUARD_MAX_ROWS", id="rows"),
    pytest.param({"SCOUT_GUARD_MAX_PCT": "29.9"}, "more than SCOUT_GUARD_MAX_PCT", id="share"),
]


@pytest.mark.parametrize(("limit", "words"), LIMITS)
def test_guard_stops_a_run_that_would_change_too_much(
    db: Database, waiting_url: str, limit: dict[str, str], words: str
):
    before = effects(waiting_url)
    with pytest.raises(GuardStopped, match=words) as stopped:
        refresh(db, environ=limit)
    assert stopped.value.exit_code == 3
    assert effects(waiting_url) == before
    (_, first), (status, reason) = run_states(waiting_url)
    assert first is None
    assert status == "FAILED"
    assert reason is not None
    assert reason.startswith("guard: ")
    assert words in reason
    assert broken(db) == {}


@pytest.mark.parametrize("limit", [{"SCOUT_GUARD_MAX_ROWS": "3"}, {"SCOUT_GUARD_MAX_PCT": "30"}])
def test_run_at_the_limit_of_the_guard_goes_on(db: Database, waiting_url: str, limit):
    assert refresh(db, environ=limit).stats["steps"]["propagate"]["changed"] == WAITING


def test_guard_counts_links_as_well(db: Database, waiting_url: str):
    with writing(waiting_url) as conn:
        new.scouting_row(conn, scout=7, license="NUEVO-100")
    with pytest.raises(GuardStopped, match="change 4 rows"):
        refresh(db, environ={"SCOUT_GUARD_MAX_ROWS": "3"})


def test_forced_run_goes_on_and_keeps_its_reason(db: Database, waiting_url: str):
    result = refresh(db, environ={"SCOUT_GUARD_MAX_ROWS": "0"}, force=True, reason=REASON)
    assert set(scouts(waiting_url).values()) == {7}
    assert rows(
        waiting_url, "select is_forced, reason from scout.runs where run_id = :id", id=result.run_id
    ) == [(True, REASON)]


def test_first_run_is_exempt_from_the_guard_and_a_failed_one_is_no_first(
    db: Database, db_url: str, monkeypatch
):
    story(db_url)
    limit = {"SCOUT_GUARD_MAX_ROWS": "0", "SCOUT_GUARD_MAX_PCT": "0"}
    assert refresh(db, environ=limit).stats["steps"]["link"]["changed"] == 3
    story(db_url, "b")
    with pytest.raises(GuardStopped):
        refresh(db, environ=limit)


def test_command_line_stops_with_3_and_forces_with_a_reason_only(waiting_url: str, verb):
    assert verb("refresh")[0] == 3
    assert verb("refresh", "--force")[0] == 2
    assert verb("refresh", "--force", "--reason", "too short")[0] == 2
    assert key("waits 0") not in scouts(waiting_url)
    code, shown = verb("refresh", "--force", "--reason", REASON)
    assert (code, shown["run"]["status"]) == (0, "COMPLETED")
    assert scouts(waiting_url)[key("waits 0")] == 7


@pytest.mark.parametrize("arguments", [("plan",), ("refresh", "--dry-run")])
def test_plan_writes_nothing_at_all(db_url: str, verb, arguments: tuple[str, ...]):
    story(db_url)
    before = fingerprint(db_url)
    code, shown = verb(*arguments)
    assert code == 0
    assert (len(shown["scouts"]), shown["links_by_rule"]["BACKFILL_NEW_PERSON"]) == (2, 1)
    assert fingerprint(db_url) == before


def test_run_changes_exactly_what_the_plan_said(db: Database, db_url: str):
    story(db_url)
    with writing(db_url) as conn:
        # linked to fidel by the run, and names another scout: no scout for fidel
        new.person(conn, key=key("fidel"), license="FIDEL100")
        new.lead_event(conn, person=key("fidel"), scout=7)
        new.scouting_row(conn, scout=8, license="FIDEL-100")
    with db.transaction(CHECK) as conn:
        planned = plan(conn, settings())
    scouts_before = scouts(db_url)
    refresh(db)
    given = {(str(p), s) for p, s in scouts(db_url).items() if scouts_before.get(p) != s}
    assert given == {(p.person_key, p.scout_id) for p in planned.scouts}
    assert key("fidel") not in scouts(db_url)
    linked = rows(
        db_url, "select source_pk, person_key::text, match_rule from canon.identity_links"
    )
    assert set(linked) == {
        (p.source_pk, p.person_key, p.match_rule) for p in planned.links if p.outcome == "LINK"
    }


def test_batches_end_in_the_same_state_as_one(
    server_url: str, db: Database, db_url: str, twin_url: str
):
    for url in (db_url, twin_url):
        for tag in ("", "b", "c"):
            story(url, tag)
    small = refresh(db, environ={"SCOUT_RUN_MAX_ROWS": "2"})
    twin = Database(twin_url)
    whole = refresh(twin)
    twin.dispose()
    assert effects(db_url) == effects(twin_url)
    assert whole.stats["batches"] == 1
    assert small.stats["batches"] > 5
    assert small.stats["steps"]["link"] == whole.stats["steps"]["link"]
    assert small.stats["steps"]["propagate"] == whole.stats["steps"]["propagate"]
    assert broken(db) == {}


def test_each_batch_is_one_commit_with_its_row_and_its_audit(db: Database, db_url: str):
    for tag in ("", "b", "c"):
        story(db_url, tag)
    result = refresh(db, environ={"SCOUT_RUN_MAX_ROWS": "2"})
    batches = rows(
        db_url,
        "select (details ->> 'batch')::integer, (details ->> 'changed')::integer,"
        " j.xmin::text from ops.job_runs_audit as j where event = 'BATCH' order by id",
    )
    assert [number for number, _, _ in batches] == list(range(1, result.stats["batches"]))
    assert value(db_url, "select max((details ->> 'changed')::integer) from ops.job_runs_audit") > 0
    for table, audit in (
        ("canon.identity_links", "ops.identity_links_backfill_audit"),
        ("observational.lead_ledger", "ops.lead_ledger_scout_backfill_audit"),
    ):
        ours = "run_id is not null" if "links" in table else "attribution_rule is not null"
        written = rows(db_url, f"select distinct xmin::text from {table} where {ours}")
        audited = rows(
            db_url, f"select distinct xmin::text from {audit} where ingestion_run_id is not null"
        )
        assert set(written) <= set(audited)
    kinds = [event for event, _ in events_of(db_url, result.run_id)]
    assert (kinds[0], kinds[-1]) == ("STARTED", "COMPLETED")


def test_batch_changes_no_more_rows_than_the_setting_says(db: Database, db_url: str):
    """A new person is a row as well, and never in another commit than its link."""
    with writing(db_url) as conn:
        for n in range(5):
            new.scouting_row(conn, scout=6, license=f"NUEVO-10{n}")
        new.scouting_row(conn, scout=6)
        for _ in range(5):
            new.lead_event(conn, person=new.person(conn), scout=7)
    refresh(db, environ={"SCOUT_RUN_MAX_ROWS": "4"})
    batches = rows(
        db_url,
        "select (details ->> 'changed')::integer from ops.job_runs_audit where event = 'BATCH'"
        " order by id",
    )
    assert [changed for (changed,) in batches] == [4, 4, 3, 4, 1]
    commits = rows(
        db_url,
        "select count(*) from canon.identity_links as l join canon.identity_registry as r"
        " on r.person_key = l.person_key and r.xmin <> l.xmin",
    )
    assert commits == [(0,)]
