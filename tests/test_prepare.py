"""prepare: what `make run` does before it serves the pages."""

import json
from pathlib import Path

import pytest

from scout_core import cli, postgres
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
        postgres.stop(tmp_path / "data")
