"""The files of one data folder, and what the server's pid file says."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from scout_core.errors import ServerError

SOCKET_PATH_LIMIT = 85
PORT = 5432


@dataclass(frozen=True)
class PidFile:
    """A postmaster.pid: who serves this cluster, or last did. port is null while it starts."""

    pid: int
    port: int | None = None
    host: str | None = None
    is_ready: bool = False


@dataclass(frozen=True)
class Layout:
    """Where the things of one embedded server are."""

    data_dir: Path

    @classmethod
    def at(cls, data_dir: Path) -> Self:
        """The layout of a folder as a user names it."""
        return cls(data_dir.expanduser().absolute())

    @property
    def lock(self) -> Path:
        """Held while a server is started or stopped."""
        return self.data_dir / "server.lock"

    @property
    def home(self) -> Path:
        """The folder that is the server's alone: 0700, renamed into place when complete."""
        return self.data_dir / "pg"

    @property
    def cluster(self) -> Path:
        """PGDATA."""
        return self.home / "data"

    @property
    def password_file(self) -> Path:
        """The password of the login `postgres`, 0600."""
        return self.home / "password"

    @property
    def startup_log(self) -> Path:
        """What the server said before its own log opened."""
        return self.home / "startup.log"

    @property
    def pid_path(self) -> Path:
        """postmaster.pid"""
        return self.cluster / "postmaster.pid"

    @property
    def socket_lock(self) -> Path:
        """PostgreSQL's own lock beside the socket, written like the pid file."""
        return self.home / f".s.PGSQL.{PORT}.lock"

    def cluster_version(self) -> int | None:
        """The major version that made the cluster; null when there is none yet."""
        try:
            return int(self._read(self.cluster / "PG_VERSION").split(".")[0])
        except ValueError:
            return None

    def password(self) -> str | None:
        """The password; null when there is no cluster yet."""
        return self._read(self.password_file).strip() or None

    def pid_file(self, path: Path | None = None) -> PidFile | None:
        """What postmaster.pid (or path) says; null when it is missing or not yet written."""
        try:
            lines = self._read(path or self.pid_path).splitlines()
            pid = int(lines[0])
        except (ValueError, IndexError):
            return None
        # Line 8 is the state: only then are the lines before it whole.
        if len(lines) < 8 or not lines[3].isdigit():
            return PidFile(pid)
        host = lines[4] or lines[5] or None
        return PidFile(pid, int(lines[3]), host, lines[7].strip() == "ready")

    def socket_fits(self) -> bool:
        """Whether the socket can live in our own folder: short enough, and a path that the
        server and its clients read as one folder."""
        path = str(self.home)
        return (
            len(os.fsencode(path)) <= SOCKET_PATH_LIMIT and "," not in path and path.isprintable()
        )

    def not_ours(self) -> ServerError:
        """What to say to a user who may not open these files."""
        return ServerError(
            f"The data folder {self.data_dir} cannot be opened by this user: run as the user who "
            "made it, or set SCOUT_DATA_DIR to a folder of your own."
        )

    def _read(self, path: Path) -> str:
        try:
            return path.read_text()
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except PermissionError as denied:
            raise self.not_ours() from denied
