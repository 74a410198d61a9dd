"""Reads of the API: one read-only snapshot a request, with the pool and limits of the API."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Depends
from sqlalchemy import Connection

from api.services import Served
from scout_core.db.database import API, Database, Profile

T = TypeVar("T")


class Reader:
    """Runs readers of scout_core on the database of the API."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def run(self, work: Callable[[Connection], T], profile: Profile = API) -> T:
        """What `work` reads on one snapshot. DatabaseAway when the database does not answer."""
        with self.database.transaction(profile) as conn:
            return work(conn)


def reader_of(services: Served) -> Reader:
    """The reader of a request."""
    return Reader(services.read_database())


Read = Annotated[Reader, Depends(reader_of)]
