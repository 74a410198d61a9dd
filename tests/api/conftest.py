"""An API on demo data that the tests of a process share, as they only read; one of a test's own."""

from collections.abc import Iterator

import pytest

from scout_core.db.database import Database
from tests.support.asking import Asking, asking
from tests.support.browser import served
from tests.support.looking import refreshed_demo


@pytest.fixture(scope="session")
def _demo(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as database:
        yield database


@pytest.fixture
def demo(_demo: Database) -> Iterator[Asking]:
    """An API on demo data of 300 persons after one run. For tests that only read."""
    with asking(_demo) as ask:
        yield ask


@pytest.fixture
def ask(db: Database) -> Iterator[Asking]:
    """An API on a database of the test's own, empty."""
    with asking(db) as found:
        yield found


@pytest.fixture
def away() -> Iterator[Asking]:
    """An API on a database that does not answer."""
    database = Database("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    with asking(database) as found:
        yield found
    database.dispose()


@pytest.fixture(scope="module")
def address(server_url: str, tmp_path_factory) -> Iterator[str]:
    """localhost:PORT of a server of its own on demo data."""
    log = tmp_path_factory.mktemp("served") / "log"
    with refreshed_demo(server_url) as database, served(database.url, log) as base:
        yield base.removeprefix("http://")
