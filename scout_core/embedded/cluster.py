"""Making a cluster and writing the settings that its server starts with."""

import contextlib
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

from scout_core.embedded.account import Account
from scout_core.embedded.binaries import major_version, program
from scout_core.embedded.connection import LOGIN
from scout_core.embedded.layout import PORT, Layout
from scout_core.errors import ServerError

SOCKET_PREFIX = "scout-pg-"

# `alter system` (postgresql.auto.conf) is read later and wins over these.
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "fsync": "on",
    "timezone": "America/Lima",
    "lc_messages": "C",
    "cluster_name": "scouts",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_file_mode": "0600",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    # Statements and details of errors hold phones and licenses: they stay out of the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


def use_tcp() -> bool:
    """Whether clients come through the loopback address: only where there is no unix socket."""
    return os.name == "nt"


def make_cluster(layout: Layout, binaries: Path, account: Account) -> None:
    """A new cluster, whole or not at all: made in a side folder that is then renamed."""
    for left in layout.data_dir.glob("pg-new-*"):
        shutil.rmtree(left, ignore_errors=True)
    side = Path(tempfile.mkdtemp(prefix="pg-new-", dir=layout.data_dir))
    try:
        account.give(side)
        _write_private(side / "password", secrets.token_urlsafe(32) + "\n", account)
        _initdb(side, binaries, account)
        with (side / "data" / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write("\ninclude_if_exists = 'scout.conf'\n")
        side.rename(layout.home)
    except BaseException:
        shutil.rmtree(side, ignore_errors=True)
        raise


def write_settings(layout: Layout, account: Account, extra: Mapping[str, str]) -> None:
    """scout.conf for the next start: our settings, where to listen, then the caller's."""
    settings = {**SETTINGS, **_listening(layout, account), **extra}
    lines = [f"{name} = {_quoted(value)}" for name, value in settings.items()]
    head = "# Written at each start. Use `alter system` for settings of your own."
    path = layout.cluster / "scout.conf"
    path.unlink(missing_ok=True)
    _write_private(path, "\n".join([head, *lines, ""]), account)


def remove_socket_folder(folder: str | None) -> None:
    """Takes away the temporary folder of a server that is gone; any other folder stays."""
    if folder is not None and Path(folder).name.startswith(SOCKET_PREFIX):
        with contextlib.suppress(OSError):
            for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
                (Path(folder) / name).unlink(missing_ok=True)
            Path(folder).rmdir()


def _listening(layout: Layout, account: Account) -> dict[str, str]:
    if use_tcp():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        return {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
        }
    folder = layout.home.resolve()
    if not Layout(layout.data_dir.resolve()).socket_fits():
        folder = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir=_short_temp()))
        account.give(folder)
    quoted = str(folder).replace('"', '""')
    return {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{quoted}"',
        "unix_socket_permissions": "0700",
    }


def _short_temp() -> str:
    folder = tempfile.gettempdir()
    return folder if len(os.fsencode(folder)) <= 60 else "/tmp"  # noqa: S108  mkdtemp in it: 0700


def _initdb(side: Path, binaries: Path, account: Account) -> None:
    modern = (major_version(binaries) or 0) >= 17
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    attempts = [builtin] if modern else [["--locale=C.UTF-8"], ["--locale=C"]]
    said = ""
    for locale in attempts:
        code, said = account.run(
            [
                program(binaries, "initdb"),
                f"--pgdata={side / 'data'}",
                f"--username={LOGIN}",
                f"--pwfile={side / 'password'}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--data-checksums",
                "--no-instructions",
                *locale,
            ]
        )
        if code == 0:
            return
    last = said.splitlines()[-1] if said else "it said nothing"
    raise ServerError(f"PostgreSQL could not make a database in {side.parent}: {last}")


def _write_private(path: Path, text: str, account: Account) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    account.give(path)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
