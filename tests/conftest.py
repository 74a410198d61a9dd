"""Fixtures: a real PostgreSQL for the session, a database of its own for each test."""

import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support import databases, server

if TYPE_CHECKING:
    from scout_core.db.database import Database


def pytest_configure(config: pytest.Config) -> None:
    """The controller holds the server for its workers."""
    server.use_test_environment()
    # a suite in the background ignores it, and so would all that it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        server.enter_session()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last session stops the server."""
    if not hasattr(config, "workerinput"):
        server.leave_session()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test with many cases that differ in their values alone, some are in the suite, the first
    and the last among them; `make test-long` runs the others."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sampled") is not None:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for family in cases.values():
        marker = family[0].get_closest_marker("sampled")
        assert marker is not None
        count, last = marker.args[0], len(family) - 1
        kept = {round(place * last / max(count - 1, 1)) for place in range(count)}
        for place, item in enumerate(family):
            if place not in kept:
                item.add_marker("long")


@pytest.fixture(autouse=True)
def _main_module() -> Iterator[None]:
    """A page that is tested takes the place of the program, and processes that are started later
    would begin with the page."""
    program = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = program


@pytest.fixture(scope="session")
def server_url() -> str:
    """URL of the maintenance database, as superuser; never write into it."""
    return server.start().url_of("postgres")


@pytest.fixture
def empty_db(server_url: str) -> Iterator[str]:
    """URL of a new, empty database."""
    with databases.clone(server_url, "template0") as url:
        yield url


@pytest.fixture
def source_db(server_url: str) -> Iterator[str]:
    """URL of a database with the owner's tables, empty, nothing of ours."""
    with databases.clone(server_url, databases.source_schema_template(server_url)) as url:
        yield url


@pytest.fixture
def db_url(server_url: str) -> Iterator[str]:
    """URL of a database with the owner's tables, empty, and the product installed."""
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        yield url


@pytest.fixture
def db(db_url: str) -> Iterator["Database"]:
    """The same, as the product opens it."""
    from scout_core.db.database import Database

    database = Database(db_url)
    yield database
    database.dispose()
