"""`settle`: bring the stored state of persons up to date now."""

import click

from scout_core.cli import output, session


@click.command()
@click.option(
    "--everything", is_flag=True, help="Every person anew, not only those that were touched."
)
@output.json_option
def settle(everything: bool) -> None:
    """Settle what was touched since the last time; runs and the server do it by themselves.

    Numbers are right without it: it makes reading them fast. With --everything after a restore,
    or when `verify` finds persons that are not as recomputed.
    """
    from scout_core.attribution import settle as settling

    database = session.database()
    with output.step_progress() as report:

        def tell(done: int, total: int) -> None:
            if report is not None:
                report("settle", done, total)

        if everything:
            done = settling.build(database, progress=tell)
        else:
            done = settling.settle(database, wait=True, progress=tell)

    def render() -> None:
        if done.is_busy:
            output.say("Somebody else is settling: nothing to do here.")
        elif not done.entries and not done.persons:
            output.say("Nothing to settle.")
        else:
            output.say(
                f"Settled {done.persons:,} persons of {done.entries:,} touched source rows; "
                f"{done.changed:,} changed."
            )

    output.emit(done, render)
