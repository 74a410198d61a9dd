"""The API under test: an application on a database, and who asks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from api import app, services, status
from api.runs import starts as limits
from scout_core.access.permissions import Actor, Role
from scout_core.db.database import Database
from scout_core.job import run_now
from scout_core.settings import Settings, load

HOST = "http://localhost:3000"


class Asking:
    """A client of an API on this database. `actor` is who the session says; null = nobody."""

    def __init__(self, database: Database, **settings: str) -> None:
        self.actor: Actor | None = Actor("ana", "admin")
        self.database = database
        self.settings: Settings = load({"SCOUT_GUARD_MAX_PCT": "100", **settings}, dotenv=None)
        self.written = 0
        self.services = services.Services(
            read_database=lambda: self.database,
            export_database=lambda: self.database,
            write_database=lambda: self.database,
            settings=lambda: self.settings,
            visitor=lambda _: self.actor,
            written=self._count,
        )
        self.app = app.build(self.services)
        self.client = TestClient(self.app, base_url=HOST, raise_server_exceptions=True)
        self.root = TestClient(Starlette(routes=status.routes(self.services)), base_url=HOST)

    def _count(self) -> None:
        self.written += 1

    def be(self, role: Role | None) -> "Asking":
        """From now on somebody of this role asks; null = nobody who has signed in."""
        self.actor = None if role is None else Actor(f"{role} of the tests", role)
        return self

    def get(self, path: str, **parameters: Any) -> Any:
        """The answer to GET /v1/<path>."""
        return self.client.get(f"/v1/{path}", params=parameters)

    def post(self, path: str, **request: Any) -> Any:
        """The answer to POST /v1/<path>."""
        return self.client.post(f"/v1/{path}", **request)


@contextmanager
def asking(database: Database, **settings: str) -> Iterator[Asking]:
    """An API on this database while the block lasts."""
    found = Asking(database, **settings)
    try:
        with found.client:
            yield found
    finally:
        limits.clear()
        while (job := run_now.in_progress()) is not None:
            job.ended.wait(30)
