"""The verbs: what the help lists, that each answers --help and --json, that start-up is light."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from scout_core import cli

ROOT = Path(__file__).parents[2]
MISSING = {
    verb
    for verb, target in cli.VERBS.items()
    if importlib.util.find_spec(target.partition(":")[0]) is None
}
needs_all = pytest.mark.skipif(bool(MISSING), reason=f"not written yet: {sorted(MISSING)}")
WITHOUT_JSON = {"db psql"}


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    with click.Context(command) as ctx:
        for name in command.list_commands(ctx):
            child = command.get_command(ctx, name)
            assert child is not None
            yield from leaves(child, f"{path} {name}".strip())


@needs_all
def test_help_lists_exactly_the_documented_verbs(capsys):
    assert cli.run(["--help"]) == 0
    listed = capsys.readouterr().out.split("Commands:")[1]
    assert re.findall(r"^  ([a-z]+) ", listed, re.M) == list(cli.VERBS)


@needs_all
def test_each_verb_explains_itself_and_prints_json():
    wrong = []
    for path, command in leaves(cli.group, ""):
        options = {name for option in command.params for name in option.opts}
        if ("--json" in options) is (path in WITHOUT_JSON) or not command.help:
            wrong.append(path)
    assert wrong == []


def test_start_up_imports_nothing_heavy():
    """The verbs of monitors and completion start often; what they do not use must not load."""
    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, scout_core.cli; print(*{name.split('.')[0] for name in sys.modules})",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(shown.stdout.split())
    assert loaded & {"streamlit", "pandas", "plotly", "sqlalchemy", "psycopg2", "rich"} == set()
