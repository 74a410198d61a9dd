"""prepare: what `make run` does before it serves the pages, while the server loads."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scout_core import cli, embedded
from tests.support.browser import ROOT, free_port, wait_for
from tests.support.installing import value


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env of the developer."""
    monkeypatch.chdir(tmp_path)


def test_owner_database_is_installed_and_refreshed_and_gets_no_demo_data(
    source_db: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", source_db)
    for run_id in (1, 2):
        assert cli.run(["prepare", "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert (answer["loaded"], answer["run"]["run_id"]) == (False, run_id)
        assert answer["run"]["status"] == "COMPLETED"
    assert value(source_db, "select count(*) from canon.identity_registry") == 0


def test_fresh_machine_gets_a_server_demo_data_and_one_refresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path / "data"))
    try:
        assert cli.run(["prepare", "--json"]) == 0
        first = json.loads(capsys.readouterr().out)
        assert first["loaded"]
        assert first["run"]["stats"]["steps"]["link"]["changed"] > 0
        assert cli.run(["prepare"]) == 0
        assert "0 links, 0 scouts" in capsys.readouterr().out
    finally:
        embedded.stop(tmp_path / "data")


def make_run(database_url: str, port: int, log: Path) -> subprocess.Popen[bytes]:
    """What `make run` starts; what it prints goes into a file."""
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "ui"],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": database_url, "STREAMLIT_SERVER_PORT": str(port)},
            stdout=out,
            stderr=out,
        )


def test_nothing_is_answered_before_all_is_prepared(source_db: str, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    process = make_run(source_db, port, log)
    try:
        wait_for(f"http://localhost:{port}/readyz", process, log)
        assert value(source_db, "select string_agg(status, ',') from scout.v_runs") == "COMPLETED"
        assert f"Open http://localhost:{port}/scouts/attribution-health" in log.read_text()
    finally:
        process.terminate()
        process.wait(20)


def test_what_cannot_be_prepared_is_said_in_one_line_and_not_served(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = make_run("postgresql://nobody@127.0.0.1:1/none", free_port(), log)
    assert process.wait(60) == 75
    assert log.read_text().startswith("The database does not answer.")
    assert len(log.read_text().splitlines()) == 1


def test_port_that_is_taken_is_said(source_db: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as other:
        process = make_run(source_db, other.getsockname()[1], log)
        assert process.wait(60) == 1
    assert "The port is taken" in log.read_text()
