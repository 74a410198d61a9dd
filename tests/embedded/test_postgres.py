"""The embedded server: one for all, whatever dies, whoever asks."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from scout_core import embedded
from scout_core.embedded import cluster as cluster_module
from scout_core.embedded import server as server_module
from scout_core.errors import DatabaseAway, ServerError
from tests.support.launcher import STARTS, postmasters, printed, python, query

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and modes of POSIX")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose server is stopped, for copies."""
    data_dir = tmp_path_factory.mktemp("made") / "data"
    embedded.start(data_dir)
    assert embedded.stop(data_dir)
    return data_dir


@pytest.fixture
def new_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder that does not exist yet."""
    yield tmp_path / "data"
    embedded.stop(tmp_path / "data")


@pytest.fixture
def data_dir(made: Path, new_dir: Path) -> Path:
    """A data folder with a cluster, not running."""
    shutil.copytree(made, new_dir, symlinks=True)
    return new_dir


def kill_server(pid: int) -> None:
    """The server's main process dies at once, as by the kernel."""
    os.kill(pid, signal.SIGKILL)
    process = psutil.Process(pid)
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)


def write_pid_file(data_dir: Path, pid: int) -> None:
    """A pid file as a server of this folder left it that had this number."""
    folder = data_dir / "pg"
    lines = [pid, folder / "data", 1767225600, 5432, folder, "", "  123456  7", "ready   "]
    (folder / "data" / "postmaster.pid").write_text("\n".join(map(str, lines)) + "\n")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_eight_processes_at_once_share_one_server(new_dir: Path) -> None:
    for _ in ("an empty folder", "a killed server"):
        processes = [python(STARTS, new_dir) for _ in range(8)]
        pids = {int(printed(process)) for process in processes}
        assert pids == set(postmasters(new_dir))
        assert len(pids) == 1
        kill_server(pids.pop())


def test_second_start_finds_the_server_and_starts_none(data_dir: Path) -> None:
    first = embedded.start(data_dir)
    log = (data_dir / "pg" / "startup.log").stat().st_mtime_ns
    assert embedded.start(data_dir) == first
    assert postmasters(data_dir) == [first.pid]
    assert (data_dir / "pg" / "startup.log").stat().st_mtime_ns == log


def test_status_tells_what_runs_and_starts_nothing(data_dir: Path) -> None:
    assert embedded.status(data_dir) is None
    assert postmasters(data_dir) == []
    server = embedded.start(data_dir)
    found = embedded.status(data_dir)
    assert found == server
    assert found.version >= 150000
    assert (found.binaries / "pg_ctl").exists()
    assert server.password not in repr(server)


def test_stop_ends_the_server_and_says_when_there_was_none(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    assert embedded.stop(data_dir) is True
    assert postmasters(data_dir) == []
    assert not psutil.pid_exists(server.pid) or psutil.Process(server.pid).status() == "zombie"
    assert embedded.stop(data_dir) is False


def test_stop_of_a_folder_that_is_not_there_makes_none(tmp_path: Path) -> None:
    assert embedded.stop(tmp_path / "none") is False
    assert embedded.status(tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGINT])
def test_server_and_committed_rows_outlive_the_process_that_started_it(
    data_dir: Path, with_signal: signal.Signals
) -> None:
    # whoever runs the tests in the background has it ignored, and children inherit that
    listens = "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code = STARTS + listens + "time.sleep(600)"
    starter = python(code, data_dir, start_new_session=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    url = embedded.start(data_dir).url
    query(url, "create table kept as select 7 as n")
    os.killpg(starter.pid, with_signal)
    starter.communicate()
    assert starter.returncode != 0
    assert postmasters(data_dir) == [pid]
    assert query(url, "select n from kept") == [7]


def test_killed_server_is_started_again_with_every_committed_row(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    query(server.url, "create table kept as select 7 as n")
    kill_server(server.pid)
    again = embedded.start(data_dir)
    assert again.pid != server.pid
    assert query(again.url, "select n from kept") == [7]


def test_busy_process_that_outlived_its_server_does_not_block_the_next(data_dir: Path) -> None:
    server = embedded.start(data_dir)

    def keep_busy() -> None:
        with contextlib.suppress(psycopg2.OperationalError):
            busy = psycopg2.connect(
                host=server.host, port=server.port, user="postgres", password=server.password
            )
            busy.cursor().execute("do $$ begin loop end loop; end $$")

    thread = threading.Thread(target=keep_busy)
    thread.start()
    running = "select count(*) from pg_stat_activity where query like 'do %'"
    while query(server.url, running) != [1]:
        time.sleep(0.02)
    kill_server(server.pid)
    again = embedded.start(data_dir)
    thread.join(30)
    assert postmasters(data_dir) == [again.pid]
    assert query(again.url, running) == [0]


def test_pid_file_of_a_dead_process_is_no_server(data_dir: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    write_pid_file(data_dir, dead.pid)
    assert embedded.status(data_dir) is None
    server = embedded.start(data_dir)
    assert postmasters(data_dir) == [server.pid]


def test_pid_file_with_the_number_of_another_program_is_no_server(data_dir: Path) -> None:
    other = subprocess.Popen(["sleep", "600"])
    try:
        write_pid_file(data_dir, other.pid)
        assert embedded.stop(data_dir) is False
        assert other.poll() is None
        server = embedded.start(data_dir)
        assert server.pid != other.pid
        assert query(server.url, "select 1") == [1]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_pid_file_with_the_number_of_another_folders_server_is_no_server(
    data_dir: Path, made: Path
) -> None:
    other_dir = data_dir.with_name("other")
    shutil.copytree(made, other_dir)
    try:
        other = embedded.start(other_dir)
        shutil.copy(other_dir / "pg/data/postmaster.pid", data_dir / "pg/data/postmaster.pid")
        assert embedded.status(data_dir) is None
        server = embedded.start(data_dir)
        assert server.pid != other.pid
        assert postmasters(other_dir) == [other.pid]
        assert embedded.stop(data_dir)
        assert postmasters(other_dir) == [other.pid]
    finally:
        embedded.stop(other_dir)


@pytest.mark.parametrize("name", ["x" * 100, "a b's, ñ 100% & \\"])
def test_any_folder_name_can_be_reached(tmp_path: Path, made: Path, name: str) -> None:
    data_dir = tmp_path / name / "data"
    shutil.copytree(made, data_dir)
    try:
        server = embedded.start(data_dir)
        assert query(server.url, "select current_database()") == ["scout"]
        socket = Path(server.host)
        assert mode(socket) == 0o700
        assert len(os.fsencode(socket)) <= 85
        assert embedded.stop(data_dir)
        assert not list(socket.glob(".s.*"))
        assert socket == data_dir / "pg" or not socket.exists()
    finally:
        embedded.stop(data_dir)


def test_short_folder_holds_its_socket(made: Path) -> None:
    short = Path("/tmp") / f"sc-{os.getpid()}"  # noqa: S108
    shutil.copytree(made, short)
    try:
        assert embedded.start(short).host == str(short / "pg")
    finally:
        embedded.stop(short)
        shutil.rmtree(short)


def test_only_the_owner_can_read_the_folder_and_parents_stay_as_they_were(tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    parent.mkdir(mode=0o755)
    before = {path: path.stat() for path in [parent, *parent.parents]}
    data_dir = parent / "data"
    try:
        embedded.start(data_dir)
        home = data_dir / "pg"
        assert [mode(path) for path in (data_dir, home, home / "data")] == [0o700] * 3
        private = [home / "password", home / "startup.log", data_dir / "server.lock"]
        assert [mode(path) for path in private] == [0o600] * 3
        for path, old in before.items():
            new = path.stat()
            assert (new.st_mode, new.st_uid, new.st_gid) == (old.st_mode, old.st_uid, old.st_gid)
    finally:
        embedded.stop(data_dir)


def test_nobody_enters_without_the_password(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    for password in ("", "postgres"):
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(host=server.host, user="postgres", password=password, dbname="scout")
    assert len(server.password) >= 32
    methods = "select distinct auth_method from pg_hba_file_rules"
    assert query(server.url, methods) == ["scram-sha-256"]


def test_settings_are_safe_and_local(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    wanted = {
        "fsync": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "data_checksums": "on",
        "TimeZone": "America/Lima",
        "logging_collector": "on",
    }
    found = {name: query(server.url, f"show {name}")[0] for name in wanted}
    assert found == wanted
    assert query(server.url, "select upper('ñ') || lower('Á')") == ["Ñá"]


def test_log_keeps_no_values_of_statements(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    query(server.url, "create table t (phone text unique)")
    query(server.url, "insert into t values ('999888777')")
    with pytest.raises(Exception, match="duplicate key"):
        query(server.url, "insert into t values ('999888777')")
    embedded.stop(data_dir)
    log = "".join(path.read_text() for path in (data_dir / "pg/data/log").iterdir())
    assert "duplicate key" in log
    assert "999888777" not in log


def test_options_hold_for_the_start_that_they_were_given_to(data_dir: Path) -> None:
    server = embedded.start(data_dir, options={"max_connections": "33"})
    assert query(server.url, "show max_connections") == ["33"]
    embedded.stop(data_dir)
    assert query(embedded.start(data_dir).url, "show max_connections") == ["100"]


def test_loopback_serves_where_there_are_no_sockets(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "use_tcp", lambda: True)
    server = embedded.start(data_dir)
    assert server.host == "127.0.0.1"
    assert query(server.url, "show listen_addresses") == ["127.0.0.1"]
    assert embedded.start(data_dir) == server


def test_psql_enters_the_database_and_returns_its_exit_code(
    data_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert embedded.psql(data_dir, ["-XAtc", "select current_database()"]) == 0
    assert capfd.readouterr().out.strip() == "scout"
    assert embedded.psql(data_dir, ["-Xc", "select 1/0"]) == 1
    assert "division by zero" in capfd.readouterr().err


def test_database_that_was_dropped_is_made_again(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    with contextlib.closing(
        psycopg2.connect(host=server.host, user="postgres", password=server.password)
    ) as connection:
        connection.autocommit = True
        connection.cursor().execute("drop database scout with (force)")
    assert query(embedded.start(data_dir).url, "select current_database()") == ["scout"]


def test_full_server_is_away_not_dead(data_dir: Path) -> None:
    server = embedded.start(data_dir, options={"max_connections": "5"})
    held = []
    with contextlib.suppress(psycopg2.OperationalError):
        while True:
            held.append(
                psycopg2.connect(host=server.host, user="postgres", password=server.password)
            )
    with pytest.raises(DatabaseAway, match="in use"):
        embedded.start(data_dir)
    for connection in held:
        connection.close()
    assert postmasters(data_dir) == [server.pid]


def test_folder_moved_under_a_running_server_is_told(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "READY_PATIENCE_SECONDS", 0.2)
    shutil.copytree(made, tmp_path / "before")
    embedded.start(tmp_path / "before")
    moved = (tmp_path / "before").rename(tmp_path / "after")
    try:
        with pytest.raises(ServerError, match="db stop"):
            embedded.start(moved)
        assert embedded.stop(moved)
        assert query(embedded.start(moved).url, "select 1") == [1]
    finally:
        embedded.stop(moved)


def test_server_that_cannot_start_says_why(data_dir: Path) -> None:
    (data_dir / "pg/data/pg_hba.conf").unlink()
    with pytest.raises(ServerError, match="pg_hba"):
        embedded.start(data_dir)
    with pytest.raises(ServerError, match="max_connections"):
        embedded.start(data_dir, options={"max_connections": "many"})


def test_interrupted_making_of_a_cluster_leaves_no_half_of_one(
    new_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cluster_module, "_initdb", killed)
        with pytest.raises(KeyboardInterrupt):
            embedded.start(new_dir)
    (new_dir / "pg-new-killed" / "data").mkdir(parents=True)
    embedded.start(new_dir)
    assert sorted(path.name for path in new_dir.iterdir()) == ["pg", "server.lock"]


def test_folder_with_half_a_cluster_is_not_overwritten(data_dir: Path) -> None:
    (data_dir / "pg" / "password").unlink()
    with pytest.raises(ServerError, match="no complete PostgreSQL data"):
        embedded.start(data_dir)
    assert (data_dir / "pg/data/PG_VERSION").exists()


def test_data_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(ServerError, match="SCOUT_DATA_DIR"):
        embedded.start(tmp_path / "data")
