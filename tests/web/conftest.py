"""Databases for the pages: empty, full, with odd names, away. Shared by all: pages only read."""

from collections.abc import Iterator

import pytest

from scout_core.db.database import Database
from tests.support import web
from tests.support.looking import installed, refreshed_demo, write


@pytest.fixture(scope="session")
def _full(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as database:
        yield database


@pytest.fixture(scope="session")
def _odd(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as database:
        for number, name in enumerate(web.ODD_NAMES):
            write(
                database,
                "update public.module_ct_scouts_list set raw_name = :name where scout_id ="
                " (select scout_id from public.module_ct_scouts_list where scout_id is not null"
                " order by scout_id offset :number limit 1)",
                name=name,
                number=number,
            )
        yield database


@pytest.fixture(scope="session")
def _empty(server_url: str) -> Iterator[Database]:
    with installed(server_url) as database:
        yield database


@pytest.fixture
def full(_full: Database) -> Iterator[Database]:
    """Pages read demo data of 300 persons after one run."""
    with web.on(_full):
        yield _full


@pytest.fixture
def odd(_odd: Database) -> Iterator[Database]:
    """The same, with names that try to be something else."""
    with web.on(_odd):
        yield _odd


@pytest.fixture
def empty(_empty: Database) -> Iterator[Database]:
    """Pages read an installation without any data."""
    with web.on(_empty):
        yield _empty


@pytest.fixture
def away() -> Iterator[None]:
    """Pages read a database that does not answer."""
    with web.on(None):
        yield
