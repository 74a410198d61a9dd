"""`decide`, `undo`, `hold`, `review` as typed: what they print, and their exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scout_core import cli
from tests.support.job import broken, do, key, refresh, rows, scouts, story

CARLA = str(key("carla"))
WHY = ("--reason", "called both, the first registered him")


@pytest.fixture
def verb(db_url, monkeypatch, capsys, tmp_path: Path) -> Callable[..., tuple[int, dict]]:
    """Run a verb with --json: exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", db_url)

    def run(*args: str) -> tuple[int, dict]:
        capsys.readouterr()
        code = cli.run([*args, "--json"])
        out = capsys.readouterr().out
        return code, json.loads(out) if out else {}

    return run


def seal_of(url: str, run_id: int | None = None) -> dict:
    """The seal of a run as it is kept; the newest one."""
    found = rows(
        url,
        "select seal_no, row_count, seal_hash from scout.v_run_seals"
        " where run_id = coalesce(cast(:run_id as integer), run_id) order by seal_no desc limit 1",
        run_id=run_id,
    )
    return dict(zip(("seal_no", "rows", "sha256"), found[0], strict=True))


def test_circle_of_plan_refresh_explain_decide_undo_and_release(db, db_url, verb, capsys):
    story(db_url)
    assert verb("plan")[0] == 0
    run_id = verb("refresh")[1]["run"]["run_id"]
    seen = verb("explain", CARLA)[1]["seen"]
    code, told = verb("decide", CARLA, "--scout", "9", "--seen", seen, *WHY)
    assert code == 0
    assert scouts(db_url)[key("carla")] == 9
    decision = told["decision"]["run_id"]
    assert told["seal"] == seal_of(db_url, decision)
    assert verb("explain", CARLA)[1]["runs"] == [decision]
    # stale: the decision itself has changed what there is
    assert verb("decide", CARLA, "--none", "--seen", seen, *WHY)[0] == 3
    assert verb("undo", str(run_id), "--dry-run")[1]["plan"]["counts"]["LEDGER"] == {"UNDO": 2}
    do(
        db_url,
        "update observational.lead_ledger set attributed_scout_id = 9"
        f" where person_key = '{key('ana')}'",
    )
    code, told = verb("undo", str(run_id), *WHY)
    assert (code, told["undo"]["changed_later"]) == (4, 1)
    assert told["seal"] == seal_of(db_url, told["undo"]["run_id"])
    assert cli.run(["undo", str(decision), *WHY]) == 0
    out = capsys.readouterr().out
    assert "persons held" in out
    assert f": {seal_of(db_url)['sha256']}\n" in out
    assert verb("undo", str(decision), *WHY)[0] == 3
    held = verb("hold", "list")[1]
    assert held["total"] == 5
    first = held["holds"][0]["hold_id"]
    assert verb("hold", "release", str(first), *WHY)[1]["release"]["hold_ids"] == [first]
    code, told = verb("hold", "release", "--run", str(held["holds"][-1]["run_id"]), *WHY)
    assert (code, len(told["release"]["hold_ids"])) == (0, 4)
    assert told["seal"] == seal_of(db_url, told["release"]["run_id"])
    assert broken(db) == {}


def test_scouting_row_is_reviewed(db, db_url, verb, capsys):
    story(db_url)
    refresh(db)
    (row,) = verb("review", "list")[1]["rows"]
    assert verb("review", "list", row["source_pk"])[1]["row"]["reason_code"] == "NO_IDENTIFIERS"
    code, told = verb("review", "link", row["source_pk"], str(key("eva")), *WHY)
    assert (code, told["review"]["act"]) == (0, "LINKED")
    assert told["seal"] == seal_of(db_url, told["review"]["run_id"])
    assert verb("review", "create", row["source_pk"], *WHY)[0] == 3
    assert verb("undo", str(told["review"]["run_id"]), *WHY)[0] == 0
    assert verb("review", "dismiss", row["source_pk"], *WHY)[0] == 0
    assert cli.run(["review", "list"]) == 0
    assert "No scouting row waits" in capsys.readouterr().out


@pytest.mark.parametrize(
    "args",
    [
        ("decide", CARLA, *WHY),
        ("decide", CARLA, "--none", "--reopen", *WHY),
        ("decide", CARLA, "--none"),
        ("decide", CARLA, "--none", "--reason", "short"),
        ("decide", CARLA, "--scout", "31", *WHY),
        ("decide", CARLA, "--none", "--code", "BECAUSE", *WHY),
        ("undo", "1"),
        ("hold", "release", *WHY),
    ],
)
def test_wrong_use_says_so_and_writes_nothing(db_url, verb, args):
    story(db_url)
    assert verb(*args)[0] == 2
    assert key("carla") not in scouts(db_url)
