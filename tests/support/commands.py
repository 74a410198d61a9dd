"""Commands that documents and schedules name, as the program would understand them."""

import click

from scout_core import cli


def understood(words: list[str]) -> str:
    """The path of the verb that `python -m scout_core WORDS` runs, with options that it takes.

    Nothing is run. AssertionError with the program's own words when it would refuse them.
    """
    command: click.Command = cli.group
    ctx: click.Context | None = None
    path: list[str] = []
    rest = list(words)
    try:
        while isinstance(command, click.Group):
            ctx = command.make_context(path[-1] if path else "scout_core", rest, parent=ctx)
            name, found, rest = command.resolve_command(ctx, [*ctx._protected_args, *ctx.args])
            assert name is not None
            assert found is not None
            path.append(name)
            command = found
        command.make_context(path[-1], rest, parent=ctx)
    except click.ClickException as exc:
        raise AssertionError(f"{' '.join(words)}: {exc.format_message()}") from exc
    except click.exceptions.Exit:
        pass  # --help and --version
    return " ".join(path)
