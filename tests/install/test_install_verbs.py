"""init, uninstall and doctor on the command line: one sentence, the right exit code."""

import json
from pathlib import Path

import pytest
from sqlalchemy import make_url

from scout_core import cli
from scout_core.db.database import Database
from scout_core.install import init
from tests.support.installing import run as run_sql
from tests.support.installing import value
from tests.support.job import key, refresh, scouts, story


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env of the developer."""
    monkeypatch.chdir(tmp_path)


def verb(url: str, monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    monkeypatch.setenv("DATABASE_URL", url)
    return cli.run(list(args))


def changed(url: str, **parts: object) -> str:
    return make_url(url).set(**parts).render_as_string(hide_password=False)


def over_tcp(url: str, port: int) -> str:
    name = make_url(url).database
    return f"postgresql://nobody:nothing@127.0.0.1:{port}/{name}"


@pytest.mark.parametrize("name", ["init", "doctor"])
@pytest.mark.parametrize(
    ("trouble", "exit_code", "words"),
    [
        ("wrong password", 1, "check user and password"),
        ("host down", 75, "does not answer"),
        ("no such database", 1, "no such database"),
        ("other product", 2, "it must be the address of a PostgreSQL database"),
        ("no address", 2, "it must be the address of a PostgreSQL database"),
    ],
)
def test_a_wrong_address_is_one_sentence(
    empty_db: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    trouble: str,
    exit_code: int,
    words: str,
) -> None:
    url = {
        "wrong password": changed(empty_db, password="wrong-secret"),
        "host down": over_tcp(empty_db, 1),
        "no such database": changed(empty_db, database="scout_test_missing"),
        "other product": "mysql://user:wrong-secret@host/database",
        "no address": "wrong-secret",
    }[trouble]
    assert verb(url, monkeypatch, name) == exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert words in printed.err
    assert "wrong-secret" not in printed.err


def test_an_older_server_is_one_sentence(
    source_db: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(init, "OLDEST_VERSION", 990000)
    assert verb(source_db, monkeypatch, "init") == 1
    assert "is too old: version 15 or newer is needed" in capsys.readouterr().err


def test_an_empty_database_is_one_sentence(
    empty_db: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verb(empty_db, monkeypatch, "init") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert "observational.lead_ledger" in printed.err


def test_a_read_only_database_is_for_later(
    source_db: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = make_url(source_db).database
    run_sql(source_db, f"alter database {name} set default_transaction_read_only = on")
    assert verb(source_db, monkeypatch, "init") == 75
    assert "read-only" in capsys.readouterr().err


def test_init_says_what_it_did_and_then_that_nothing_is_to_do(
    source_db: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verb(source_db, monkeypatch, "init") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Created schema scout." in lines
    assert lines[-1] == "Installed."
    assert verb(source_db, monkeypatch, "init") == 0
    assert capsys.readouterr().out == "Nothing to do.\n"


def test_init_prints_one_object(
    db_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verb(db_url, monkeypatch, "init", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "done": [],
        "lost": [],
        "has_separate_roles": True,
    }


def test_uninstall_asks_for_a_yes(
    db_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verb(db_url, monkeypatch, "uninstall") == 2
    assert "say --yes" in capsys.readouterr().err
    assert value(db_url, "select to_regnamespace('scout')") is not None
    assert verb(db_url, monkeypatch, "uninstall", "--yes") == 0
    assert value(db_url, "select to_regnamespace('scout')") is None


def test_uninstall_says_what_people_decided_before_and_after_it_goes(
    db: Database,
    db_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    story(db_url)
    refresh(db)
    ana, beto, carla = str(key("ana")), str(key("beto")), str(key("carla"))
    decide = ("--code", "OTHER", "--reason", "called both of them")
    for person, outcome in (
        (carla, ["--scout", "9"]),
        (carla, ["--reopen"]),  # taken back: not in force
        (carla, ["--scout", "9"]),
        (ana, ["--none"]),
    ):
        assert verb(db_url, monkeypatch, "decide", person, *outcome, *decide) == 0
    run_sql(
        db_url,
        "insert into scout.holds (subject, person_key, reason, actor, released_at) values"
        f" ('person', '{beto}', 'x', 'x', null), ('person', '{ana}', 'x', 'x', now())",
        "update observational.lead_ledger set attributed_scout_id = null"
        f" where person_key = '{beto}'",
    )
    refresh(db)
    before = scouts(db_url)
    assert [before[key(name)] for name in ("ana", "beto", "carla")] == [None, None, 9]
    capsys.readouterr()

    assert verb(db_url, monkeypatch, "uninstall") == 2
    asked = capsys.readouterr().err
    assert "2 decisions in force and 1 hold and all its history: say --yes" in asked
    assert "After `init` and `refresh` the rules decide those persons again" in asked

    assert verb(db_url, monkeypatch, "uninstall", "--yes", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["decisions"], told["holds"]) == (2, 1)
    assert any(line.endswith("with 2 decisions in force and 1 hold.") for line in told["done"])
    assert any("the rules decide those persons again" in line for line in told["lost"])

    assert verb(db_url, monkeypatch, "init") == 0
    refresh(db)
    after = scouts(db_url)
    assert [after[key(name)] for name in ("ana", "beto", "carla")] == [7, 8, 9]


def test_uninstall_has_nothing_to_lose_where_nobody_decided_or_nothing_is_installed(
    db_url: str,
    source_db: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for url in (db_url, source_db):
        assert verb(url, monkeypatch, "uninstall") == 2
        asked = capsys.readouterr().err
        assert "0 decisions in force and 0 holds" in asked
        assert "again" not in asked
    assert verb(db_url, monkeypatch, "uninstall", "--yes", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["decisions"], told["holds"]) == (0, 0)
    assert not any("again" in line for line in told["lost"])


def test_doctor_is_well_on_a_fresh_installation(
    db_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verb(db_url, monkeypatch, "doctor") == 0
    printed = capsys.readouterr().out
    assert "✓ OK" in printed
    assert "! WARN" in printed
    assert "✗ FAIL" not in printed


def test_doctor_fails_where_something_is_wrong(
    db_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_sql(db_url, "drop trigger scout_append_only on ops.job_runs_audit")
    assert verb(db_url, monkeypatch, "doctor", "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "FAIL"
    bad = [f for f in answer["findings"] if f["state"] == "FAIL"]
    assert [(f["layer"], f["name"]) for f in bad] == [("audit", "ops.job_runs_audit")]
