"""The command line: which verb is where, and what an error looks like.

A verb's module is imported when the verb is used, so that each starts fast. A verb is a click
command; what its function returns, when it is a number, is the exit code. It prints through
`scout_core.cli.output`, opens the database through `scout_core.cli.session`, and lets a
ScoutError pass: it ends here, as one line on stderr and, with --json, as one object on stdout.
"""

import contextlib
import importlib
import sys
from collections.abc import Sequence

import click

from scout_core import __version__, streams
from scout_core.cli import output
from scout_core.errors import PermissionDenied, ScoutError, Stopped

PROGRAM = "python -m scout_core"

VERBS = {
    "init": "scout_core.cli.install:init",
    "uninstall": "scout_core.cli.install:uninstall",
    "refresh": "scout_core.cli.job:refresh",
    "plan": "scout_core.cli.job:plan",
    "undo": "scout_core.cli.decide:undo",
    "status": "scout_core.cli.job:status",
    "health": "scout_core.cli.look:health",
    "explain": "scout_core.cli.look:explain",
    "conflicts": "scout_core.cli.look:conflicts",
    "decide": "scout_core.cli.decide:decide",
    "hold": "scout_core.cli.decide:hold",
    "review": "scout_core.cli.decide:review",
    "erase": "scout_core.cli.erase:erase",
    "alerts": "scout_core.cli.alerts:alerts",
    "schedule": "scout_core.cli.schedule:schedule",
    "export": "scout_core.cli.export:export",
    "settle": "scout_core.cli.settle:settle",
    "notify": "scout_core.cli.notify:notify",
    "verify": "scout_core.cli.job:verify",
    "quality": "scout_core.cli.quality:quality",
    "doctor": "scout_core.cli.install:doctor",
    "demo": "scout_core.cli.demo:demo",
    "prepare": "scout_core.cli.prepare:prepare",
    "token": "scout_core.cli.token:token",
    "session": "scout_core.cli.sign_ins:sessions",
    "config": "scout_core.cli.settings:config",
    "db": "scout_core.cli.db:db",
}

# health speaks the language of monitors: 2 would mean FAIL, so all trouble is 3, UNKNOWN.
TROUBLE_CODES = {"health": 3}

# Verbs that write in runs: a signal ends them in good order.
ENDED_IN_ORDER = frozenset(
    ("refresh", "undo", "decide", "hold", "review", "erase", "settle", "demo", "prepare", "quality")
)

BY_SIGNAL = 128
INTERRUPTED = 130
READER_LEFT = 141


class LazyGroup(click.Group):
    """Verbs that are imported when they are named or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in the order of the documentation."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of this name, or None."""
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].partition(":")
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as exc:
            if exc.name != module:
                raise
            return None
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with the nearest verb named when there is none of this name."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as exc:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=VERBS, ctx=ctx) from exc


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
@output.json_option
def group() -> None:
    """Which scout brought which driver: install, refresh, look, decide, undo and check.

    Exit codes: 0 done or nothing to do, 1 failed, 2 usage, 3 refused, 4 undone in part, 75 try
    again later (another run holds the lock, or the database is away or read-only), 124 a scheduled
    run took too long and was ended; 74 done, but the result could not be written (a full disk),
    141 its reader left, 130 and 143 stopped by SIGINT and SIGTERM. health: 0 OK, 1 WARN or STALE,
    2 FAIL, 3 UNKNOWN.
    """


def run(args: Sequence[str] | None = None) -> int:
    """Run one verb and say the exit code. The only place where errors become text."""
    argv = list(sys.argv[1:] if args is None else args)
    verb = next((arg for arg in argv if not arg.startswith("-")), None)
    output.begin()
    try:
        with group.make_context(PROGRAM, list(argv)) as ctx, _heeded(verb):
            code = group.invoke(ctx)
        output.flush()
        ended = code if isinstance(code, int) else 0
        return _of_output(verb) if output.lost() and not ended else ended
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except click.exceptions.NoArgsIsHelpError as exc:
        streams.tell(exc.format_message())
        return exc.exit_code
    except ScoutError as exc:
        if isinstance(exc, PermissionDenied):
            # loads the log and its colours, which most verbs of monitors never need
            from scout_core.cli import session

            session.keep_denial(exc)
        code = TROUBLE_CODES.get(verb or "", exc.exit_code)
        if isinstance(exc, Stopped):
            code = BY_SIGNAL + (exc.signal_number or 0)
        output.emit_error(type(exc).__name__, exc.message, code, exc.facts, "--json" in argv)
        return code
    except click.ClickException as exc:
        code = TROUBLE_CODES.get(verb or "", exc.exit_code)
        output.emit_error("UsageError", _usage_sentence(exc), code, {}, "--json" in argv)
        return code
    except (click.Abort, KeyboardInterrupt):
        streams.tell("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        return READER_LEFT
    except OSError:
        # a file of an export, or what did not come through `output`
        output.flush()
        if output.lost() is None:
            raise
        return _of_output(verb)


def _heeded(verb: str | None) -> contextlib.AbstractContextManager[None]:
    if verb not in ENDED_IN_ORDER:
        return contextlib.nullcontext()
    from scout_core.db import stopping

    return stopping.heeded()


def _of_output(verb: str | None) -> int:
    """The exit code when all is done but said: the reader has left, or the disk is full."""
    lost = output.lost()
    if isinstance(lost, BrokenPipeError):
        return READER_LEFT
    why = getattr(lost, "strerror", None) or "closed"
    streams.tell(f"The result could not be written ({why}): what was done before it stands.")
    return TROUBLE_CODES.get(verb or "", streams.UNWRITTEN)


def main(args: Sequence[str] | None = None) -> None:
    """Run the verb that the arguments name and exit with its code."""
    streams.keep_open()
    for stream in (sys.stdout, sys.stderr):
        # A console that lacks a letter shows its code instead of ending the program.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    code = run(args)
    streams.settle()
    sys.exit(code)


def _usage_sentence(exc: click.ClickException) -> str:
    ctx = getattr(exc, "ctx", None)
    path = ctx.command_path if ctx else PROGRAM
    what = exc.format_message()
    return f"{what if what.endswith(('.', '?', '?)')) else what + '.'} See `{path} --help`."
