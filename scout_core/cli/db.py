"""`db`: the embedded PostgreSQL."""

import click

from scout_core.cli import output, session
from scout_core.settings import mask_url


@click.group()
def db() -> None:
    """Start, stop or enter the embedded PostgreSQL.

    It is the one in SCOUT_DATA_DIR, which is used when DATABASE_URL is not set.
    """


@db.command()
@output.json_option
def start() -> None:
    """Start the server, unless it runs already; it stays up until `db stop`."""
    from scout_core import embedded

    _note_other_database()
    server = embedded.start(session.settings().data_dir)
    _show(server.url)


@db.command()
@output.json_option
def stop() -> None:
    """Stop the server."""
    from scout_core import embedded

    stopped = embedded.stop(session.settings().data_dir)
    output.emit(
        {"stopped": stopped},
        lambda: output.say("Stopped." if stopped else "It was not running."),
    )


@db.command()
@output.json_option
def status() -> None:
    """Say whether the server runs, and where."""
    from scout_core import embedded

    _note_other_database()
    server = embedded.status(session.settings().data_dir)
    _show(server.url if server else None)


@db.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def psql(args: tuple[str, ...]) -> int:
    """Open psql on the server, starting it when needed; ARGS go to psql."""
    from scout_core import embedded

    _note_other_database()
    return embedded.psql(session.settings().data_dir, list(args))


def _show(url: str | None) -> None:
    output.emit(
        {"running": url is not None, "url": mask_url(url) if url else None},
        lambda: output.say(f"Running: {mask_url(url)}" if url else "Not running."),
    )


def _note_other_database() -> None:
    if session.settings().database_url:
        output.note("DATABASE_URL is set: the other verbs work on that database, not on this one.")
