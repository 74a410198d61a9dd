"""What the routes work with, given by whoever mounts the API: databases, settings, who asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Request

from scout_core.access.permissions import Actor
from scout_core.db.database import Database
from scout_core.settings import Settings


@dataclass(frozen=True)
class Services:
    """Databases by what they are for, each a pool of its own: reads of the API, files, writes.

    visitor: who asks by the session of the browser; null = has to sign in. written: called after a
    write, for caches of others. headings: what a list and a language call the columns of a
    file.
    """

    read_database: Callable[[], Database]
    export_database: Callable[[], Database]
    write_database: Callable[[], Database]
    settings: Callable[[], Settings]
    visitor: Callable[[Request], Actor | None]
    written: Callable[[], None] = lambda: None
    headings: Callable[[str, str], Mapping[str, str]] = lambda _list, _language: {}


def services_of(request: Request) -> Services:
    """The services of the application that answers."""
    return cast(Services, request.app.state.services)


def now() -> datetime:
    """The time (UTC) at which a request is answered."""
    return datetime.now(UTC)


Served = Annotated[Services, Depends(services_of)]
