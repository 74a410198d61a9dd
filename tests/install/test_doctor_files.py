"""Files with secrets that others may read are named, each with the command that closes it."""

import os
from pathlib import Path

import pytest

from scout_core.install import doctor_files
from tests.support.installing import settings

pytestmark = pytest.mark.skipif(os.name == "nt", reason="rights are of another kind there")


def write(path: Path, mode: int, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Every file that may hold a secret, closed."""
    write(tmp_path / ".env", 0o600, f"SCOUT_NOTIFY_URLS_FILE={tmp_path / 'channels'}\n")
    write(tmp_path / ".streamlit/secrets.toml", 0o600)
    write(tmp_path / "deploy/compose/.env", 0o600)
    write(tmp_path / "data/pg/password", 0o600)
    write(tmp_path / "channels", 0o400)
    write(tmp_path / "url", 0o600)
    return tmp_path


def examine(folder: Path) -> list[tuple[str, str]]:
    given = settings(SCOUT_DATA_DIR=str(folder / "data"))
    environ = {"DATABASE_URL_FILE": str(folder / "url")}
    return [
        (finding.state, finding.todo)
        for finding in doctor_files.examine(given, environ=environ, folder=folder)
    ]


def test_closed_files_are_fine(folder: Path):
    assert examine(folder) == [("OK", "")]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".streamlit/secrets.toml",
        "deploy/compose/.env",
        "data/pg/password",
        "channels",
        "url",
    ],
)
def test_file_that_others_may_open_is_named(folder: Path, name: str, mode: int):
    (folder / name).chmod(mode)
    ((state, todo),) = examine(folder)
    assert state == "WARN"
    assert todo == f"Run: chmod 600 {folder / name}"


def test_no_file_is_no_trouble(tmp_path: Path):
    assert [f.state for f in doctor_files.examine(settings(), environ={}, folder=tmp_path)] == [
        "OK"
    ]
