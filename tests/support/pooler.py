"""PgBouncer in transaction mode before the server of the tests: each transaction may get another
connection of the server, and each of those serves whoever comes next."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, NullPool, create_engine, make_url
from sqlalchemy.exc import OperationalError

from scout_core.embedded.account import choose_account
from scout_core.embedded.binaries import find_binaries
from scout_core.embedded.layout import Layout
from tests.support import server
from tests.support.browser import free_port

REQUIRED = "REQUIRE_PGBOUNCER"
FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")  # sbin is not in everybody's PATH
INI = """
[databases]
{database} = host={host} port={port} dbname={database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = {size}
query_wait_timeout = {patience}
max_client_conn = 300
logfile = {log}
"""


def find() -> str:
    """The program. Without one the test is skipped, or fails where that is forbidden."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path=os.pathsep.join(FOLDERS))
    if found is None:
        lack = "NO PGBOUNCER, NOTHING IS TRIED BEHIND ONE: install the package pgbouncer."
        if os.environ.get(REQUIRED):
            pytest.fail(lack)
        pytest.skip(lack)
    return found


@contextlib.contextmanager
def pooled(url: str, *, size: int, patience: int = 60) -> Iterator[str]:
    """The address of this database behind a pooler that keeps `size` connections to it, and lets
    nobody wait longer than `patience` seconds for one."""
    target = make_url(url)
    listen = free_port()
    ini = INI.format(
        database=target.database,
        host=target.host or target.query["host"],
        port=target.port or target.query.get("port", 5432),
        listen=listen,
        users="{users}",
        size=size,
        patience=patience,
        log="{log}",
    )
    address = target.set(host="127.0.0.1", port=listen, query={})
    with listening(ini, address):
        yield address.render_as_string(hide_password=False)


@contextlib.contextmanager
def listening(ini: str, address: URL) -> Iterator[None]:
    """A pooler with these settings, in which {users} and {log} are files of its own, that lets in
    the login of the address."""
    with tempfile.TemporaryDirectory(prefix="scout-pool-") as made:
        folder = Path(made)
        users, settings, log = folder / "users", folder / "pgbouncer.ini", folder / "log"
        users.write_text(f'"{address.username}" "{address.password or ""}"\n')
        log.touch()
        settings.write_text(ini.format(users=users, log=log))
        process = _started([find(), str(settings)], folder)
        try:
            _wait_for(address, process, log)
            yield
        finally:
            process.terminate()
            process.wait(20)


def _started(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """PgBouncer refuses root as PostgreSQL does, and has to reach its socket: it runs as whoever
    the server runs as."""
    data = server.start().data_dir
    account = choose_account(Layout.at(data), find_binaries(data))
    for path in (folder, *folder.iterdir()):
        account.give(path)
    return subprocess.Popen(
        [*account.prefix, *command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=account.user,
        group=account.group,
        extra_groups=None if account.user is None else [],
    )


def _wait_for(address: URL, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    engine = create_engine(address, poolclass=NullPool)
    while True:
        try:
            with engine.connect():
                return
        except OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(log.read_text(errors="replace")) from None
            time.sleep(0.05)
