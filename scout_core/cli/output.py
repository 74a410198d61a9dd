"""What a verb prints.

    @click.command()
    @json_option                      # adds --json; the function does not get it
    def status() -> int | None:
        rows = ...
        emit({"runs": rows}, lambda: table(("run", "state"), [(r.id, r.state) for r in rows]))

- `emit(value, render)`: with --json `value` as one object on stdout, else `render()`.
- `say(text)`: a line on stdout, as it is; nothing with --json.
- `seal(found)`: a line with the seal of a run; nothing with --json.
- `note(text)`: a line on stderr, for what is not the result; nothing with --json.
- `table(headers, rows)`: framed and coloured on a terminal, plain aligned columns elsewhere.
- `progress(label, total)`: a bar on stderr, on a terminal only; gives a function `advance(n=1)`.
- `step_progress()`: the same for several steps; gives `report(step, done, total)`, or None.
- `wants_json()`: whether --json was given.

Dataclasses, models, named tuples, dates, uuids, decimals, sets and paths may stand in `value`.
Text from the database is shown as it is: no markup is read in it, control characters are taken out.
"""

import dataclasses
import datetime
import decimal
import enum
import json
import math
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any, TypeVar
from uuid import UUID

import click

from scout_core import streams

Verb = TypeVar("Verb", bound=Callable[..., object])
JSON_KEY = "scout_core.json"


class _Result:
    """What stdout takes. Once it takes no more, a verb goes on without it: what it does stands, and
    its exit code tells of the rest."""

    lost: OSError | None = None


def lost() -> OSError | None:
    """Why the result could not be written; null when it was."""
    return _Result.lost


def lose(why: OSError) -> None:
    """Stdout takes no more."""
    _Result.lost = why


def begin() -> None:
    """Another verb begins."""
    _Result.lost = None


def flush() -> None:
    """Write what stdout still holds."""
    _write(sys.stdout.flush)


def _echo(text: str) -> None:
    _write(lambda: click.echo(text))


def _write(write: Callable[[], object]) -> None:
    if _Result.lost is None:
        try:
            write()
        except OSError as exc:
            _Result.lost = exc


def json_option(verb: Verb) -> Verb:
    """Add --json to a verb or a group of verbs."""

    def remember(ctx: click.Context, _: click.Parameter, given: bool) -> None:
        if given:
            ctx.meta[JSON_KEY] = True

    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Print one JSON object on stdout.",
    )(verb)


def wants_json() -> bool:
    """Whether --json was given to the running verb."""
    ctx = click.get_current_context(silent=True)
    return bool(ctx and ctx.meta.get(JSON_KEY))


def emit(value: object, render: Callable[[], object]) -> None:
    """The result of a verb: one JSON object, or what `render` prints for a person."""
    if wants_json():
        _echo(json.dumps(jsonable(value), ensure_ascii=False))
    else:
        render()


def emit_error(
    kind: str, message: str, exit_code: int, facts: Mapping[str, object], as_json: bool
) -> None:
    """One line on stderr and, with `as_json`, {"error": {...}} on stdout."""
    line = " ".join(message.split())
    streams.tell(line)
    if as_json:
        error = {**facts, "kind": kind, "message": line, "exit_code": exit_code}
        _echo(json.dumps({"error": jsonable(error)}, ensure_ascii=False))


def say(text: str) -> None:
    """A line on stdout; nothing with --json."""
    if not wants_json():
        _echo(text)


def seal(found: Mapping[str, Any] | None) -> None:
    """A line with the seal of a run; nothing with --json, or where there is none."""
    if found is not None:
        say(f"Seal {found['seal_no']} over {found['rows']:,} audit rows: {found['sha256']}")


def note(text: str) -> None:
    """A line on stderr that is no error and not the result; nothing with --json."""
    if not wants_json():
        streams.tell(text)


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table on stdout. None is shown as nothing, whole numbers are set to the right."""
    values = [list(row) for row in rows]
    right = [
        any(isinstance(row[i], int | float | decimal.Decimal) for row in values)
        for i in range(len(headers))
    ]
    cells = [[_cell(value) for value in row] for row in values]
    if sys.stdout.isatty():
        _write(lambda: _framed(headers, cells, right, title))
        return
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    if title:
        _echo(title)
    for line in (list(headers), *cells):
        padded = (
            text.rjust(width) if at_right else text.ljust(width)
            for text, width, at_right in zip(line, widths, right, strict=True)
        )
        _echo("  ".join(padded).rstrip())


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A progress bar while the block runs; call what it gives with how much was done."""
    if wants_json() or not sys.stderr.isatty():
        yield lambda n=1: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(label, total=total)
        yield lambda n=1: bars.advance(bar, n)


@contextmanager
def step_progress() -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar per step while the block runs; gives `report(step, done, total)`, else None."""
    if wants_json() or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: int, total: int) -> None:
            if step not in tasks:
                for earlier in tasks.values():
                    bars.update(earlier, completed=1, total=1)
                tasks[step] = bars.add_task(step)
            bars.update(tasks[step], completed=done, total=max(total, 1))

        yield report


def jsonable(value: Any) -> Any:
    """The value in the types of JSON: numbers stay numbers, times are ISO 8601."""
    if isinstance(value, float | decimal.Decimal) and not math.isfinite(value):
        return None
    if value is None or type(value) in (bool, int, float, str):
        return value
    for kind, convert in JSON_FORMS:
        if isinstance(value, kind):
            return convert(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    for method in ("model_dump", "_asdict"):
        if hasattr(value, method):
            return jsonable(getattr(value, method)())
    if isinstance(value, Iterable):
        return [jsonable(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in JSON")


JSON_FORMS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (enum.Enum, lambda v: jsonable(v.value)),
    ((int, float, str), lambda v: v),
    (decimal.Decimal, lambda v: int(v) if v == v.to_integral_value() else float(v)),
    ((datetime.date, datetime.time), lambda v: v.isoformat()),
    (datetime.timedelta, lambda v: v.total_seconds()),
    ((UUID, PurePath), str),
    (Mapping, lambda v: {str(key): jsonable(item) for key, item in v.items()}),
    ((set, frozenset), lambda v: sorted(jsonable(item) for item in v)),
)


def plain(text: str) -> str:
    """Text without line ends, control and invisible format characters, safe for a terminal."""
    return "".join(
        " " if char in "\t\r\n" else "" if unicodedata.category(char) in ("Cc", "Cf") else char
        for char in text
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_cell(item) for item in value)
    return plain(str(value))


def _framed(headers: Sequence[str], cells: list[list[str]], right: list[bool], title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    framed = Table(box=box.SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left")
    framed.header_style = "bold cyan"
    for header, at_right in zip(headers, right, strict=True):
        framed.add_column(header, justify="right" if at_right else "left", overflow="fold")
    for row in cells:
        framed.add_row(*(Text(text) for text in row))
    Console().print(framed)
