"""The edge of the command line: where errors become text and exit codes."""

import datetime
import decimal
import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from scout_core import cli
from scout_core.cli import output
from scout_core.errors import GuardStopped, RunBusy, ScoutError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("SCOUT_", "DATABASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def verb(monkeypatch):
    """Make a function the verb `config`, so that it runs through the real edge."""

    def use(function, name="config"):
        command = click.command(name)(output.json_option(function))
        monkeypatch.setattr(
            cli.LazyGroup,
            "get_command",
            lambda *args: command if args[-1] == name else None,
        )

    return use


def raising(exc: BaseException):
    def verb() -> None:
        raise exc

    return verb


def test_error_is_one_line_on_stderr_and_its_exit_code(verb, capsys):
    verb(raising(RunBusy("Run 7\n  is at work.", run_id=7)))
    assert cli.run(["config"]) == 75
    assert capsys.readouterr() == ("", "Run 7 is at work.\n")


def test_error_with_json_is_one_object_on_stdout_with_its_facts(verb, capsys):
    verb(raising(GuardStopped("Too many.", planned=20_001)))
    assert cli.run(["config", "--json"]) == 3
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "error": {
            "kind": "GuardStopped",
            "message": "Too many.",
            "exit_code": 3,
            "planned": 20_001,
        }
    }
    assert err == "Too many.\n"


def test_settings_error_exits_2_whatever_the_verb(monkeypatch, capsys):
    monkeypatch.setenv("SCOUT_RUN_MAX_ROW", "1")
    assert cli.run(["config"]) == 2
    assert "did you mean SCOUT_RUN_MAX_ROWS?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["confg"], "No such command 'confg'."),
        (["config", "--jsn"], "No such option '--jsn'. Did you mean '--json'?"),
        (["config", "a", "b"], "Got unexpected extra argument (b)."),
    ],
)
def test_wrong_usage_is_one_sentence_and_exits_2(args, words, capsys):
    assert cli.run(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(words)
    assert err.count("\n") == 1
    assert "--help`." in err


def test_mistyped_verb_names_the_nearest(capsys):
    cli.run(["refrsh"])
    assert "'refresh'" in capsys.readouterr().err


@pytest.mark.parametrize("problem", [RunBusy(), ScoutError("no"), click.UsageError("no")])
def test_trouble_of_health_is_unknown_never_fail(problem, verb):
    """A monitor reads 2 as FAIL; it must not read it when health could not be asked for."""
    verb(raising(problem), name="health")
    assert cli.run(["health"]) == 3


def test_number_that_a_verb_returns_is_the_exit_code(verb):
    verb(lambda: 4)
    assert cli.run(["config"]) == 4


def test_interruption_exits_130_in_one_line(verb, capsys):
    verb(raising(KeyboardInterrupt()))
    assert cli.run(["config"]) == 130
    assert capsys.readouterr().err.strip() == "Interrupted."


def test_reader_that_leaves_early_causes_no_traceback():
    """`config | head -1` and the like."""
    shown = subprocess.run(
        [
            "bash",
            "-c",
            f"'{sys.executable}' -c 'import click\n"
            "from scout_core import cli\n"
            'cli.LazyGroup.get_command = lambda *_: click.Command("config", callback=lambda:'
            ' [click.echo("x" * 1000) for _ in range(10000)])\n'
            'cli.main(["config"])\' | head -1; exit ${PIPESTATUS[0]}',
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert shown.stderr == ""
    assert shown.returncode == 141


def test_config_shows_each_setting_masked_and_its_origin(monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", "postgres://ana:s3cret@db/fleet")
    assert cli.run(["config", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["settings"]}
    assert rows["DATABASE_URL"]["value"] == "postgresql+psycopg2://ana:***@db/fleet"
    assert rows["DATABASE_URL"]["origin"] == "environment"
    assert rows["SCOUT_RUN_MAX_ROWS"] == {
        "name": "SCOUT_RUN_MAX_ROWS",
        "value": "10000",
        "origin": "default",
        "meaning": rows["SCOUT_RUN_MAX_ROWS"]["meaning"],
    }
    assert cli.run(["config"]) == 0
    assert "s3cret" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["run_max_rows", "SCOUT_RUN_MAX_ROWS"])
def test_config_of_one_name_prints_its_value_alone(name, capsys):
    assert cli.run(["config", name]) == 0
    assert capsys.readouterr().out == "10000\n"


def test_config_of_an_unknown_name_lists_those_that_exist(capsys):
    assert cli.run(["config", "speed"]) == 2
    assert "SCOUT_RUN_MAX_ROWS" in capsys.readouterr().err


def test_json_before_the_verb_counts_too(capsys):
    assert cli.run(["--json", "config", "run_max_rows"]) == 0
    assert json.loads(capsys.readouterr().out)["value"] == "10000"


def test_table_is_plain_and_whole_when_stdout_is_no_terminal(capsys):
    output.table(("key", "n"), [("x" * 200, 1), ("b", 22), (None, None)], title="Rows")
    title, head, long, short, none = capsys.readouterr().out.splitlines()
    assert title == "Rows"
    assert head.split() == ["key", "n"]
    assert long == "x" * 200 + "   1"
    assert short.endswith("22")
    assert none == ""


def test_text_of_the_database_cannot_steer_the_terminal(capsys):
    output.table(("name",), [("\x1b[31mred\u202e\n[bold]x[/]",)])
    assert capsys.readouterr().out.splitlines()[1] == "[31mred [bold]x[/]"


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_no_color_is_honoured_on_a_terminal(no_color, coloured, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    output.table(("key", "n"), [("a", 1)])
    assert ("\x1b[1;36m" in capsys.readouterr().out) is coloured


def test_progress_is_silent_when_stderr_is_no_terminal(capsys):
    with output.progress("linking", total=2) as advance:
        advance()
        advance(1)
    assert capsys.readouterr() == ("", "")


def test_each_type_of_a_result_has_a_form_in_json():
    @dataclass
    class Row:
        at: datetime.datetime
        key: uuid.UUID

    moment = datetime.datetime(2026, 1, 1, 3, tzinfo=datetime.UTC)
    key = uuid.UUID(int=1)
    assert output.jsonable(
        {
            1: Row(moment, key),
            "numbers": (decimal.Decimal("12.50"), decimal.Decimal(3), 1.5, True, None),
            "not finite": [float("nan"), decimal.Decimal("Infinity")],
            "set": {3, 1},
            "span": datetime.timedelta(minutes=1),
            "path": Path("a"),
        }
    ) == {
        "1": {"at": "2026-01-01T03:00:00+00:00", "key": str(key)},
        "numbers": [12.5, 3, 1.5, True, None],
        "not finite": [None, None],
        "set": [1, 3],
        "span": 60.0,
        "path": "a",
    }
    with pytest.raises(TypeError):
        output.jsonable(object())
