"""What a verb needs before it can work: settings, log, database.

db = session.database()           # DATABASE_URL, else the embedded server
settings = session.settings()     # loaded once for each command
"""

import getpass
import sys
from typing import TYPE_CHECKING, Any

import click

from scout_core import logs
from scout_core import settings as settings_module
from scout_core.settings import Settings

if TYPE_CHECKING:
    from scout_core.access.permissions import Actor
    from scout_core.db.database import Database
    from scout_core.errors import PermissionDenied

KEY = "scout_core.settings"


def settings() -> Settings:
    """The settings in force; the first call also sends the log where it belongs."""
    meta = click.get_current_context().meta
    if KEY not in meta:
        meta[KEY] = loaded = settings_module.load()
        # somebody who watches sees bars and the result; the log is for who reads it afterwards
        is_watched = sys.stderr.isatty() and loaded.origin("log_level") == "default"
        logs.configure("WARNING" if is_watched else loaded.log_level)
    found: Settings = meta[KEY]
    return found


def actor() -> "Actor":
    """Whoever uses the command line: who can reach the database may do everything."""
    from scout_core.access.permissions import Actor

    return Actor(getpass.getuser(), "admin")


def keep_denial(exc: "PermissionDenied") -> None:
    """Keep what a verb was refused for the role of who uses it."""
    from scout_core.access import denials
    from scout_core.db.database import open_database

    denials.record(open_database(settings_module.load()), actor(), exc, "cli")


def seal_of(run_id: int) -> dict[str, Any] | None:
    """The seal of a run that just ended, to print: whoever keeps it outside can prove the rest."""
    from scout_core.db.database import LOOK
    from scout_core.runs import seals

    with database().transaction(LOOK) as conn:
        return seals.of_run(conn, run_id)


def database() -> "Database":
    """The database that the settings name; the embedded server is started when they name none."""
    from scout_core.db.database import open_database

    return open_database(settings())
