"""`config`: the settings in force."""

import click

from scout_core.cli import output, session
from scout_core.errors import SettingsError
from scout_core.settings import describe


@click.command()
@click.argument("name", required=False)
@output.json_option
def config(name: str | None) -> None:
    """Show each setting, where it comes from and what it means; secrets masked.

    With NAME only the value of that one, e.g. `config run_max_rows`.
    """
    rows = describe(session.settings())
    if name is None:
        output.emit(
            {"settings": rows},
            lambda: output.table(("setting", "value", "from", "meaning"), rows),
        )
        return
    wanted = [row for row in rows if name.upper() in (row.name, row.name.removeprefix("SCOUT_"))]
    if not wanted:
        known = ", ".join(row.name for row in rows)
        raise SettingsError(f"There is no setting {name}. Those that exist: {known}.")
    output.emit(wanted[0], lambda: output.say(wanted[0].value))
