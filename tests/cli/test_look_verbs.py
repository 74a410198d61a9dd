"""What the verbs that run, plan and look print, as text and as one object; their exit codes."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from scout_core import cli
from scout_core.db.database import Database
from scout_core.health import invariants
from scout_core.health.source_checks import CHECK_NAMES
from scout_core.runs import lock as run_lock
from tests.support.looking import CONTRACT, installed, refreshed_demo, rows, value, write

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
Printed = tuple[int, str, str]
Verb = Callable[..., Printed]


@pytest.fixture
def verb(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Verb:
    """Run a verb on a database: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(where: Database | str, *args: str, **environ: str) -> Printed:
        url = where if isinstance(where, str) else where.url
        for name, setting in {"DATABASE_URL": url, **environ}.items():
            monkeypatch.setenv(name, setting)
        capsys.readouterr()
        code = cli.run(list(args))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture(scope="module")
def demo_db(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as db:
        yield db


@pytest.fixture(scope="module")
def bare_db(server_url: str) -> Iterator[Database]:
    with installed(server_url) as db:
        yield db


def answer(printed: Printed, code: int = 0) -> dict[str, Any]:
    """The one object on stdout of a verb that ended with that code."""
    assert printed[0] == code, printed
    lines = printed[1].splitlines()
    assert len(lines) == 1
    found = json.loads(lines[0])
    assert isinstance(found, dict)
    return found


def personal(db: Database) -> list[str]:
    """Phones, licences, documents and names of the registry."""
    query = (
        "select v from canon.identity_registry as r cross join lateral (values (r.primary_phone),"
        " (r.primary_license), (r.primary_document), (r.primary_full_name)) as p (v)"
        " where length(v) >= 6"
    )
    return [row[0] for row in rows(db, query)]


def test_status_shows_numbers_reasons_and_runs(demo_db: Database, verb: Verb) -> None:
    found = answer(verb(demo_db, "status", "--json"))
    assert set(found) == {"snapshot", "reasons", "runs"}
    columns = CONTRACT["v_scout_attribution_metrics_snapshot"].split()
    assert set(found["snapshot"]) >= set(columns)
    total = sum(reason["person_count"] for reason in found["reasons"])
    assert total == found["snapshot"]["persons_missing_scout"]
    assert found["runs"][0]["status"] == "COMPLETED"
    assert len(answer(verb(demo_db, "status", "--limit", "1", "--json"))["runs"]) == 1
    code, out, _ = verb(demo_db, "status")
    assert code == 0
    assert re.search(rf"registered +{found['snapshot']['total_persons']:,}\b", out)
    assert re.search(r"\bD +SEVERAL_SCOUTS +\d+", out)
    assert "Last runs" in out


def test_conflicts_lists_what_is_open(demo_db: Database, verb: Verb) -> None:
    total = value(demo_db, "select count(*) from ops.v_scout_attribution_conflicts")
    found = answer(verb(demo_db, "conflicts", "--json"))
    assert (found["total"], len(found["conflicts"])) == (total, min(total, 50))
    assert set(found["conflicts"][0]) >= set(CONTRACT["v_scout_attribution_conflicts"].split())
    days = [c["last_event_date"] for c in found["conflicts"] if c["last_event_date"]]
    assert days == sorted(days, reverse=True)
    code, out, _ = verb(demo_db, "conflicts", "--limit", "2")
    assert code == 0
    assert out.startswith(f"{total:,} open, the first 2\n")
    assert len(re.findall(rf"^{UUID} ", out, re.M)) == 2


def test_explain_tells_of_one_person(demo_db: Database, verb: Verb) -> None:
    person = str(value(demo_db, "select person_key from ops.v_scout_attribution_conflicts limit 1"))
    found = answer(verb(demo_db, "explain", person, "--json"))
    assert set(found) == {
        "state", "verdict", "why", "next_action", "evidence", "ledger_audit", "link_audit",
        "decisions", "holds", "issues", "runs", "money", "seen", "alerts",
    }  # fmt: skip
    assert found["state"]["person_key"] == person
    assert "NEW_CONFLICT" in [a["rule"] for a in found["alerts"]]
    assert len({e["scout_id"] for e in found["evidence"]}) > 1
    code, out, _ = verb(demo_db, "explain", person)
    assert code == 0
    assert out.startswith(f"{person}: {found['verdict']}\nWhy: {found['why']}.\n")
    assert f"Next: {found['next_action']}" in out
    assert "Evidence, oldest first" in out
    assert re.search(r"\d+ +WARN +OPEN +NEW_CONFLICT", out)


def test_plan_shows_what_a_run_would_change_and_writes_nothing(
    demo_db: Database, verb: Verb
) -> None:
    write(
        demo_db,
        "insert into public.module_ct_scouting_daily (scout_id, driver_license)"
        " values (1, 'Z99999999'), (1, 'NO TIENE')",
    )
    before = value(demo_db, "select count(*) from ops.ingestion_runs")
    found = answer(verb(demo_db, "plan", "--json"))
    assert found["changed_rows"] == 2
    assert found["links_by_rule"] == {"BACKFILL_NEW_PERSON": 1}
    assert found["left_by_reason"]["NO_IDENTIFIERS"] >= 1
    assert (found["guard"], found["is_first_run"]) == (None, False)
    assert answer(verb(demo_db, "refresh", "--dry-run", "--json")) == found
    code, out, _ = verb(demo_db, "plan")
    assert code == 0
    assert out.startswith("The next run would change 2 rows. Nothing was written.\n")
    assert "new " in out
    assert value(demo_db, "select count(*) from ops.ingestion_runs") == before
    guarded = answer(verb(demo_db, "plan", "--json", SCOUT_GUARD_MAX_ROWS="0"))
    assert "more than SCOUT_GUARD_MAX_ROWS (0)" in guarded["guard"]


def test_guard_refuses_until_it_is_forced_with_a_reason(server_url: str, verb: Verb) -> None:
    with refreshed_demo(server_url) as db:
        write(
            db,
            "insert into public.module_ct_scouting_daily (scout_id, driver_license)"
            " select 1, 'Z' || n from generate_series(1000000, 1000004) as n",
        )
        limit = {"SCOUT_GUARD_MAX_ROWS": "4"}
        links = "select count(*) from canon.identity_links"
        before = value(db, links)
        assert "5 rows" in answer(verb(db, "plan", "--json", **limit))["guard"]
        error = answer(verb(db, "refresh", "--json", **limit), code=3)["error"]
        assert (error["kind"], error["exit_code"]) == ("GuardStopped", 3)
        assert value(db, links) == before
        code, out, err = verb(db, "refresh", "--force", **limit)
        assert (code, out) == (2, "")
        assert "--reason" in err
        assert verb(db, "refresh", "--force", "--reason", "too short", **limit)[0] == 2
        assert verb(db, "refresh", "--force", "--reason", "x" * 1001, **limit)[0] == 2
        reason = "a list of five that was checked"
        found = answer(verb(db, "refresh", "--force", "--reason", reason, "--json", **limit))
        assert found["run"]["stats"]["steps"]["link"]["changed"] == 5
        assert value(db, links) == before + 5
        assert value(db, "select reason from scout.runs order by run_id desc limit 1") == reason


def test_refresh_prints_what_it_did(demo_db: Database, verb: Verb) -> None:
    found = answer(verb(demo_db, "refresh", "--trigger", "cron", "--json"))
    run = found["run"]
    assert (run["status"], run["is_attached"]) == ("COMPLETED", False)
    assert set(run["stats"]["steps"]) == {"link", "propagate", "record"}
    kept = rows(demo_db, "select trigger, kind from scout.runs where run_id = :r", r=run["run_id"])
    assert kept == [("cron", "refresh")]
    code, out, err = verb(demo_db, "refresh")
    assert code == 0
    assert re.match(r"Run \d+ completed in \d+\.\d s: 0 links, 0 scouts\.\n", out)
    assert re.search(r"^Seal \d+ over 0 audit rows: [0-9a-f]{64}$", out, re.M)
    shown = out + err + json.dumps(found)
    assert [word for word in personal(demo_db) if word in shown] == []


def test_nothing_that_is_shown_is_personal(demo_db: Database, verb: Verb) -> None:
    words = personal(demo_db)
    assert len(words) > 100
    person = str(value(demo_db, "select person_key from ops.v_scout_attribution_conflicts limit 1"))
    for args in (["status"], ["conflicts"], ["explain", person], ["plan"], ["verify"], ["health"]):
        for flag in ([], ["--json"]):
            _, out, err = verb(demo_db, *args, *flag)
            assert [word for word in words if word in out + err] == [], args


def test_verify_holds_and_names_what_is_broken(server_url: str, verb: Verb) -> None:
    with refreshed_demo(server_url) as db:
        found = answer(verb(db, "verify", "--json"))
        assert found["holds"] is True
        assert [c["name"] for c in found["checks"]] == invariants.names()
        code, out, _ = verb(db, "verify")
        assert code == 0
        assert f"All {len(invariants.names())} invariants hold." in out
        write(
            db,
            "alter table ops.lead_ledger_scout_backfill_audit disable trigger scout_append_only",
            "update ops.lead_ledger_scout_backfill_audit set new_attributed_scout_id = 99"
            " where id = (select max(id) from ops.lead_ledger_scout_backfill_audit"
            " where ingestion_run_id is not null)",
            "alter table ops.lead_ledger_scout_backfill_audit enable always trigger"
            " scout_append_only",
        )
        broken = answer(verb(db, "verify", "--json"), code=1)
        names = {c["name"] for c in broken["checks"] if c["offending_count"]}
        assert broken["holds"] is False
        assert "seals_hold" in names
        assert "one_run_at_a_time" not in names
        code, out, _ = verb(db, "verify")
        assert code == 1
        assert re.search(r"^BROKEN ", out, re.M)


def test_verify_compares_with_a_seal_that_was_kept_outside(server_url: str, verb: Verb) -> None:
    with installed(server_url) as db:
        assert re.search(r"^Seal 1 over 0 audit rows: [0-9a-f]{64}$", verb(db, "refresh")[1], re.M)
        kept = str(value(db, "select seal_hash from scout.seals"))
        code, out, _ = verb(db, "verify", "--seal", kept)
        assert code == 0
        assert "The seal that was given is the newest: number 1." in out
        assert f"All {len(invariants.names()) + 1} invariants hold." in out
        verb(db, "refresh")
        assert (
            "The seal that was given is number 1, of run 1; seals after it: 2, later runs that"
            " sealed: 1." in verb(db, "verify", "--seal", kept)[1]
        )
        told = answer(verb(db, "verify", "--seal", kept, "--json"))
        assert told["seal"] == {"seal_no": 1, "run_id": 1, "newer_seals": 2, "newer_runs": 1}
        code, out, _ = verb(db, "verify", "--seal", "0" * 64)
        assert code == 1
        assert "seal_is_known: The seal that was given is in the chain" in out
        assert answer(verb(db, "verify", "--json"))["seal"] is None
        code, _, err = verb(db, "verify", "--seal", kept[:16])
        assert code == 2
        assert "64 hexadecimal digits" in err


def test_second_run_at_the_same_time_is_told_to_come_back(bare_db: Database, verb: Verb) -> None:
    lock = run_lock.take(bare_db, "refresh")
    try:
        error = answer(verb(bare_db, "refresh", "--json"), code=75)["error"]
        assert error["kind"] == "RunBusy"
        assert verb(bare_db, "status")[0] == 0
        assert verb(bare_db, "plan")[0] == 0
    finally:
        lock.rollback()
    assert verb(bare_db, "refresh")[0] == 0


def test_empty_database_has_an_answer_for_every_verb(server_url: str, verb: Verb) -> None:
    with installed(server_url) as db:
        code, out, _ = verb(db, "status")
        assert code == 0
        assert "n/a" in out
        assert "The job has never run" in out
        assert verb(db, "conflicts")[:2] == (0, "No conflict is open.\n")
        assert answer(verb(db, "plan", "--json"))["is_first_run"] is True
        assert verb(db, "verify")[0] == 0
        assert verb(db, "health")[0] == 3
        assert verb(db, "refresh")[0] == 0
        assert verb(db, "refresh")[0] == 0
        assert "n/a" in verb(db, "status")[1]


def test_quality_shows_the_checks_and_lists_the_rows_of_one(
    demo_db: Database, verb: Verb, tmp_path: Path
) -> None:
    told = answer(verb(demo_db, "quality", "--json"))["checks"]
    counts = {check["check"]["name"]: check["last"]["row_count"] for check in told}
    code, out, _ = verb(demo_db, "quality", "unreadable_scouts", "--limit", "2")
    assert code == 0
    assert f"{counts['unreadable_scouts']} rows, the first 2" in out
    found = answer(verb(demo_db, "quality", "unreadable_scouts", "--json"))
    assert len(found["rows"]) == found["total"] == counts["unreadable_scouts"] > 2
    file = tmp_path / "shared.csv"
    wanted = ["--check", "shared_phones", "--out", str(file)]
    assert verb(demo_db, "export", "quality", *wanted)[0] == 0
    assert len(file.read_text(encoding="utf-8").splitlines()) - 1 == counts["shared_phones"] > 0
    assert verb(demo_db, "quality", "phones")[0] == 2


def test_quality_runs_now_and_refresh_runs_what_is_due(server_url: str, verb: Verb) -> None:
    with installed(server_url) as db:
        assert "never ran" in verb(db, "quality")[1]
        run = answer(verb(db, "refresh", "--json"))["run"]["run_id"]
        assert verb(db, "refresh")[0] == 0
        write(db, "drop view scout.v_source_dates")
        kept = "select count(*), min(run_id), max(run_id) from scout.quality_results"
        assert rows(db, kept) == [(len(CHECK_NAMES), run, run)]
        code, out, _ = verb(db, "quality", "future_dates", "--run")
        assert code == 1
        assert "future_dates could not be run: Something is missing" in out
        assert verb(db, "quality", "shared_phones", "--run")[0] == 0


READING = [["status"], ["conflicts"], ["plan"], ["verify"], ["refresh"], ["explain", "x"]]


@pytest.mark.parametrize("args", READING, ids=lambda args: args[0])
def test_trouble_with_the_database_is_one_sentence(
    source_db: str, verb: Verb, args: list[str]
) -> None:
    changed = make_url(source_db)
    troubles = {
        "postgresql://nobody:nothing@127.0.0.1:1/x": (75, "DatabaseAway"),
        changed.set(password="wrong-secret").render_as_string(False): (1, "WrongDatabase"),
        changed.set(database="scout_test_missing").render_as_string(False): (1, "WrongDatabase"),
        "mysql://u:wrong-secret@host/x": (2, "SettingsError"),
        source_db: (1, "NotInstalled"),
    }
    for url, (code, kind) in troubles.items():
        printed = verb(url, *args, "--json")
        assert answer(printed, code)["error"]["kind"] == kind
        assert len(printed[2].splitlines()) == 1
        assert "wrong-secret" not in "".join(map(str, printed))


@pytest.mark.parametrize(
    "args",
    [
        ["status", "--limit", "x"], ["conflicts", "--limit", "-1"], ["conflicts", "--limit", "0"],
        ["plan", "--rows", "x"], ["refresh", "--trigger", "moon"], ["explain"], ["verify", "now"],
        ["status", "--limit", "-1"], ["plan", "--rows", "-1"],
        ["status", "--limit", "99999999999999999999"],
    ],
)  # fmt: skip
def test_wrong_use_is_said_before_anything_is_read(
    bare_db: Database, verb: Verb, args: list[str]
) -> None:
    code, out, err = verb(bare_db, *args)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "--help" in err


def test_unknown_person_is_one_sentence(bare_db: Database, verb: Verb) -> None:
    for key in ("x", "00000000-0000-4000-8000-00000000000a", "\u202ex"):
        code, out, err = verb(bare_db, "explain", key)
        assert (code, out) == (1, "")
        assert len(err.splitlines()) == 1
