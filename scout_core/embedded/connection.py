"""Asking the server of a data folder whether it is there, by logging in."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import psycopg2
import psycopg2.extensions

from scout_core.embedded.binaries import find_binaries
from scout_core.embedded.layout import Layout
from scout_core.embedded.process import executable_folder, live_postmaster
from scout_core.errors import DatabaseAway, ServerError

LOGIN = "postgres"
DATABASE = "scout"
MAINTENANCE_DATABASE = "postgres"
STOP_HINT = "run `python -m scout_core db stop`, then start again"


@dataclass(frozen=True)
class Server:
    """A running server. host is its socket's folder (on Windows an address); version is
    PostgreSQL's own number, e.g. 180004."""

    data_dir: Path
    pid: int
    version: int
    host: str
    port: int
    password: str

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the application's database."""
        return self.url_of(DATABASE)

    @property
    def binaries(self) -> Path:
        """The bin folder of the programs that it runs from."""
        return executable_folder(self.pid) or find_binaries(self.data_dir)

    def url_of(self, database: str) -> str:
        """SQLAlchemy's URL of another database of this server."""
        login = f"{LOGIN}:{quote_plus(self.password)}"
        place = f"host={quote(self.host, safe='/')}&port={self.port}"
        return f"postgresql+psycopg2://{login}@/{quote(database, safe='')}?{place}"

    def __repr__(self) -> str:
        return f"Server(data_dir={str(self.data_dir)!r}, pid={self.pid}, version={self.version})"


def answering(layout: Layout, database: str = DATABASE) -> Server | None:
    """The server, when it lets us in and serves our cluster; null when nobody answers."""
    written, password = layout.pid_file(), layout.password()
    if written is None or written.port is None or written.host is None or password is None:
        return None
    server = Server(layout.data_dir, written.pid, 0, written.host, written.port, password)
    try:
        with contextlib.closing(connect(server, database)) as connection:
            with connection.cursor() as cursor:
                cursor.execute("show data_directory")
                serves = Path(str((cursor.fetchone() or [""])[0]))
            version = connection.server_version
    except psycopg2.OperationalError as refused:
        _raise_if_it_lives(layout, str(refused))
        return None
    if not serves.exists():
        # Somebody with our password: the folder was moved, or another container serves it.
        raise ServerError(
            f"The server of {layout.data_dir} was started when the folder was {serves}: "
            f"{STOP_HINT}."
        )
    if not serves.samefile(layout.cluster):
        return None
    return Server(layout.data_dir, written.pid, version, written.host, written.port, password)


def connect(server: Server, database: str) -> psycopg2.extensions.connection:
    """A connection of the driver itself, for what the launcher has to ask."""
    return psycopg2.connect(
        host=server.host,
        port=server.port,
        user=LOGIN,
        password=server.password,
        dbname=database,
        connect_timeout=10,
        application_name="scout launcher",
        client_encoding="utf8",
        options="-c search_path=pg_catalog,pg_temp",
    )


def _raise_if_it_lives(layout: Layout, said: str) -> None:
    if live_postmaster(layout) is None:
        return
    if "too many clients" in said or "remaining connection slots" in said:
        raise DatabaseAway(
            "All connections of the embedded database are in use: close some and try again."
        )
    if "password authentication failed" in said:
        raise ServerError(
            f"The server of {layout.data_dir} refuses the password in {layout.password_file}: put "
            "back the file that was made with it."
        )
