"""`prepare`: all that comes before the pages can be served, in one start of the program."""

import click

from scout_core.cli import job, output, session


@click.command()
@output.json_option
def prepare() -> None:
    """Install and refresh once; without DATABASE_URL, first load demo data if there is nothing.

    What `make run` does before it serves the pages, while the server loads.
    """
    from scout_core.install import demo, init
    from scout_core.job import refresh

    settings, database = session.settings(), session.database()
    loaded = None
    if not settings.database_url:
        loaded = demo.load_if_missing(database, settings, report=output.say)
    if loaded is None:
        init.init(database, settings, report=output.say)
    with output.step_progress() as progress:
        result = refresh.run_refresh(database, settings, actor=session.actor(), progress=progress)
    output.emit(
        {"loaded": loaded is not None, "run": result},
        lambda: job.render_run(result),
    )
