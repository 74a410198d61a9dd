"""`schedule`: the job on this machine's scheduler."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

import scout_core
from scout_core import streams
from scout_core.cli import output, session

if TYPE_CHECKING:
    from scout_core.schedule import Ended, Entry

FOLDER = Path(scout_core.__file__).parent.parent


@click.group()
def schedule() -> None:
    """Let the job run by itself every four hours, in the server's time.

    On Unix this is a line in your crontab, on Windows a task of the Task Scheduler. For systemd
    and containers see deploy/.
    """


@schedule.command()
@output.json_option
def install() -> None:
    """Put the job on the scheduler; a second time changes nothing."""
    from scout_core import schedule as library

    _show(library.install(session.settings(), FOLDER, _now()), "Installed.", "Already installed.")


@schedule.command()
@output.json_option
def remove() -> None:
    """Take the job off the scheduler, without a trace; the log stays."""
    from scout_core import schedule as library

    _show(library.remove(session.settings(), FOLDER, _now()), "Removed.", "It was not installed.")


@schedule.command()
@output.json_option
def status() -> int:
    """Say whether the job is on the scheduler; exit code 1 when it is not."""
    from scout_core import schedule as library

    entry = library.look(session.settings(), FOLDER, _now())
    _show(entry, "", "Installed." if entry.entry else "Not installed.")
    return 0 if entry.entry else 1


@schedule.command()
@output.json_option
def run() -> int:
    """Run the job once as the scheduler does: with a time limit, output into a log that rotates.

    The exit code is that of `refresh`, or 124 when the run took longer than
    SCOUT_RUN_LIMIT_MINUTES and was ended.
    """
    from scout_core import schedule as library

    ended = library.run(session.settings(), FOLDER)
    output.emit(ended, lambda: None)
    _complain(ended)
    return ended.exit_code


@schedule.command()
@output.json_option
def keep() -> None:
    """Stay and run the job at its times, for containers, which have no scheduler."""
    from scout_core import schedule as library

    settings = session.settings()
    for ended in library.keep(settings, FOLDER, now=_now):
        output.emit(ended, lambda: None)
        _complain(ended)


def _complain(ended: "Ended") -> None:
    from scout_core import schedule as library

    if ended.exit_code == 0:
        return
    why = (
        "took longer than SCOUT_RUN_LIMIT_MINUTES and was ended"
        if ended.exit_code == library.TIMED_OUT
        else f"ended with exit code {ended.exit_code}"
    )
    # cron mails it, systemd and Docker keep it
    streams.tell(f"The scheduled run {why}: {f'see {ended.log}' if ended.log else 'see above'}.")


def _show(entry: "Entry", changed: str, same: str) -> None:
    def render() -> None:
        output.say(changed if entry.was_changed else same)
        if entry.entry is None:
            return
        output.say(f"{entry.scheduler}: {entry.entry}")
        output.say(f"Times are the server's: {entry.zone}. Log: {entry.log}")
        if entry.not_seen:
            output.say(
                f"Only this console has {', '.join(entry.not_seen)}: the scheduler's runs do not "
                f"see it. Write it into {FOLDER / '.env'}."
            )

    output.emit(entry, render)


def _now() -> datetime:
    return datetime.now().astimezone()
