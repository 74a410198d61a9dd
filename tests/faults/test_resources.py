"""C10: disk, memory or connections of the server run out. What was committed stays whole, the rest
is rolled back, and the message says so and what to do; with room, a run heals it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from scout_core import cli, embedded
from scout_core.db.database import ADMIN, Database
from scout_core.errors import DatabaseAway, DatabaseError
from tests.support import databases
from tests.support import factories as new
from tests.support.installing import as_login, connection, opened
from tests.support.job import (
    broken,
    do,
    events_of,
    key,
    refresh,
    run_states,
    scouts,
    value,
    writing,
)
from tests.support.server import OPTIONS
from tests.support.state import effects

PERSONS = 400
BATCH = 50
KEPT = "what was not committed is rolled back, what was committed before stays whole"
AUDIT = "ops.lead_ledger_scout_backfill_audit"


@dataclass(frozen=True)
class Disk:
    """A small file system under a tablespace."""

    folder: Path
    tablespace: str

    def fill(self, left: int = 0) -> None:
        """Write until so many bytes are left."""
        free = shutil.disk_usage(self.folder).free
        (self.folder / "filler").write_bytes(bytes(max(0, free - left)))

    def make_room(self) -> None:
        (self.folder / "filler").unlink()


@pytest.fixture
def disk(server_url: str) -> Iterator[Disk]:
    """64 MB in memory, mounted, which only root may. A test asks for it before its database."""
    folder = Path(tempfile.mkdtemp(prefix="scout-disk-"))
    folder.chmod(0o755)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=755", "tmpfs", str(folder)]
    try:
        if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("a small file system cannot be mounted: only root may, outside a container")
        try:
            place = folder / "tablespace"
            place.mkdir(mode=0o700)
            owner = Path(value(server_url, "show data_directory")).stat()
            os.chown(place, owner.st_uid, owner.st_gid)
            name = f"scout_test_small_{os.getpid()}"
            databases.execute(server_url, f"create tablespace {name} location '{place}'")
            yield Disk(folder, name)
            databases.execute(server_url, f"drop tablespace {name}")
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


def crowd_with_a_scout_each(url: str) -> dict:
    """Persons for whom a run writes one row each into the ledger and the audit."""
    wanted = {key(f"p{n}"): 7 for n in range(PERSONS)}
    with writing(url) as conn:
        for person in wanted:
            new.person(conn, key=person)
            new.lead_event(conn, person=person, scout=7)
    return wanted


@pytest.mark.parametrize(("max_rows", "is_some_kept"), [(10_000, False), (BATCH, True)])
def test_full_disk_keeps_whole_batches_and_nothing_else(
    disk: Disk, db: Database, db_url: str, max_rows: int, is_some_kept: bool
):
    wanted = crowd_with_a_scout_each(db_url)
    do(db_url, f"alter table {AUDIT} set tablespace {disk.tablespace}")
    disk.fill(left=64 * 1024)
    before = effects(db_url)
    with pytest.raises(DatabaseError) as full:
        refresh(db, environ={"SCOUT_RUN_MAX_ROWS": str(max_rows)})
    assert full.value.facts["sqlstate"] == "53100"
    assert KEPT in full.value.message
    assert "Make room on the disk of the database, then start it again" in full.value.message
    assert run_states(db_url) == [("FAILED", full.value.message)]

    run_id = value(db_url, "select max(run_id) from scout.runs")
    batches = [event for event, _ in events_of(db_url, run_id) if event == "BATCH"]
    kept = value(db_url, f"select count(*) from {AUDIT} where ingestion_run_id = {run_id}")
    assert kept == BATCH * len(batches)
    assert len(scouts(db_url)) == kept
    assert (kept > 0) == is_some_kept
    assert kept < PERSONS
    if not is_some_kept:
        assert effects(db_url) == before
    assert broken(db) == {}

    disk.make_room()
    refresh(db, environ={"SCOUT_RUN_MAX_ROWS": str(max_rows)})
    assert scouts(db_url) == wanted
    assert broken(db) == {}


def test_run_that_cannot_even_note_its_failure_is_closed_by_the_next_one(
    disk: Disk, server_url: str, db_url: str, monkeypatch, capsys
):
    """The whole database is on the full disk."""
    wanted = crowd_with_a_scout_each(db_url)
    name = value(db_url, "select current_database()")
    databases.execute(
        server_url,
        databases.LET_CONNECTIONS_CLOSE.format(name=name),
        f"alter database {name} set tablespace {disk.tablespace}",
    )
    disk.fill()
    monkeypatch.setenv("DATABASE_URL", db_url)
    monkeypatch.setenv("SCOUT_GUARD_MAX_PCT", "100")
    assert cli.run(["refresh"]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "Make room on the disk of the database" in said
    assert KEPT in said
    assert scouts(db_url) == {}

    disk.make_room()
    assert cli.run(["refresh"]) == 0
    assert scouts(db_url) == wanted
    assert {state for state, _ in run_states(db_url)} <= {"FAILED", "COMPLETED"}
    with opened(db_url) as db:
        assert broken(db) == {}


def sort_on_disk(conn: Connection) -> None:
    conn.execute(text("set local work_mem = '64kB'"))
    conn.execute(text("set local temp_file_limit = 0"))
    conn.execute(text("select n from generate_series(1, 100000) as n order by n desc"))


def test_limit_for_temporary_files_is_named(db: Database):
    with pytest.raises(DatabaseError) as full, db.transaction(ADMIN) as conn:
        sort_on_disk(conn)
    assert full.value.facts["sqlstate"] == "53400"
    assert "temporary file size exceeds" in full.value.message
    assert "Raise the limit that is named, then start it again" in full.value.message


def test_login_without_a_free_connection_is_told_so(server_url: str, db_url: str):
    login = f"scout_test_few_{os.getpid()}"
    databases.execute(
        server_url, f"create role {login} login password '{login}' connection limit 1"
    )
    try:
        url = as_login(db_url, login)
        with connection(url), opened(url) as db, pytest.raises(DatabaseAway) as full:
            db.begin(ADMIN)
        assert full.value.message.startswith("The database takes no more connections")
        assert full.value.facts["sqlstate"] == "53300"
        with opened(url) as db, db.transaction(ADMIN) as conn:
            assert conn.scalar(text("select 1")) == 1
    finally:
        databases.execute(server_url, f"drop role {login}")


@pytest.fixture(scope="module")
def narrow(tmp_path_factory) -> Iterator[str]:
    """A server of its own with few connections and little memory for locks."""
    folder = tmp_path_factory.mktemp("narrow")
    options = {**OPTIONS, "max_connections": "10", "max_locks_per_transaction": "10"}
    yield embedded.start(folder, options=options).url_of("postgres")
    embedded.stop(folder)


def test_server_without_a_free_connection_is_told_so_and_tried_again_later(
    narrow: str, monkeypatch, capsys
):
    monkeypatch.setenv("DATABASE_URL", narrow)
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(connection(narrow))
            except OperationalError:
                break
        assert cli.run(["refresh"]) == 75
        assert (
            capsys.readouterr()
            .err.splitlines()[-1]
            .startswith("The database takes no more connections")
        )


def test_memory_for_locks_that_runs_out_leaves_nothing_and_names_the_setting(narrow: str):
    tables = (
        "do $$ begin for n in 1..5000 loop"
        " execute format('create table public.t%s ()', n); end loop; end $$"
    )
    with opened(narrow) as db:
        with pytest.raises(DatabaseError) as full, db.transaction(ADMIN) as conn:
            conn.exec_driver_sql(tables, execution_options={"no_parameters": True})
        assert full.value.facts["sqlstate"] == "53200"
        assert KEPT in full.value.message
        assert "max_locks_per_transaction, then start it again" in full.value.message
        with db.transaction(ADMIN) as conn:
            assert conn.scalar(text("select to_regclass('public.t1')")) is None
