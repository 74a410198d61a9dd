"""`demo`: an invented data set on an empty database."""

import click

from scout_core.cli import output, session


@click.command()
@click.option(
    "--persons",
    type=click.IntRange(100, 10_000_000),
    default=2033,
    show_default=True,
    help="How many persons to invent; everything else scales with them.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=1,
    show_default=True,
    help="The same seed gives the same data, with dates relative to today.",
)
@click.option("--if-empty", is_flag=True, help="Do nothing when the demo data is there already.")
@output.json_option
def demo(persons: int, seed: int, if_empty: bool) -> None:
    """Load invented data into an empty database, and install.

    Refuses a database that holds anything else. All or nothing is loaded.
    """
    from scout_core.install import demo as library

    settings, database = session.settings(), session.database()
    load = library.load_if_missing if if_empty else library.load
    report = load(database, settings, persons=persons, seed=seed, report=output.say)
    if report is None:
        output.emit(
            {"loaded": False},
            lambda: output.say("The demo data is there already."),
        )
        return
    output.emit(
        {"loaded": True, "persons": report.persons, "seed": report.seed, "rows": report.rows},
        lambda: output.table(("table", "rows"), list(report.rows.items())),
    )
