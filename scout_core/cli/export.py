"""`export conflicts|backlog|...`: a list as a file."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, get_args, get_type_hints

import click

from scout_core.cli import output, session
from scout_core.errors import BadInput, ScoutError
from scout_core.export.lists import LISTS, ExportList, ExportRecord

_BINARY = getattr(os, "O_BINARY", 0)  # Windows alone has it
HELP = {
    "scout_id": "Only of this scout.",
    "source": "Only with this table among the sources.",
    "since": "From this day on (YYYY-MM-DD).",
    "until": "Up to this day.",
    "text": "Only persons whose key starts so.",
    "driver": "Only drivers whose id starts so.",
    "conflict_kind": "Only of this kind.",
    "category": "Only of this category.",
    "reason_code": "Only for this reason.",
    "lead_only": "Only lead persons.",
    "missing_only": "Only claims whose person has no scout.",
    "conflicts_only": "Only claims whose person has an open conflict.",
    "bucket": "Only with the scout from there.",
    "overdue_bucket": "Only overdue so long.",
    "payment_status": "Only of this payment status.",
    "unpaid_only": "Only claims that Yango has not paid.",
    "block_reason": "Only blocked for this.",
    "kind": "Only runs of this kind.",
    "status": "Only runs that ended so.",
    "trigger": "Only runs started so.",
    "actor": "Only by this actor.",
    "changed_only": "Only runs that changed a link or the ledger.",
    "run_id": "Only of this run.",
    "person": "Only persons whose key starts so.",
    "method": "Only by this rule or for this reason.",
    "table": "Which audit table.",
    "check": "Only of this check of the sources.",
}


@click.group()
def export() -> None:
    """Write a list to a file or to stdout. Who took what is kept."""


def _verb(name: str, listed: ExportList) -> click.Command:
    @click.pass_context
    def write(ctx: click.Context, /, **given: Any) -> None:
        filters = listed.filters(
            **{
                field.name: value.date() if isinstance(value, datetime) else value
                for field in fields(listed.filters)
                if (value := given.pop(field.name)) is not None
            }
        )
        _export(name, filters, **given)

    options = [*_filter_options(listed), *_form_options(listed)]
    verb = click.Command(
        name,
        params=list[click.Parameter](options),
        callback=write,
        help=f"Write the list of {name} as CSV or XLSX.",
    )
    return output.json_option(verb)


def _filter_options(listed: ExportList) -> Iterator[click.Option]:
    hints = get_type_hints(listed.filters)
    for field in fields(listed.filters):
        kind = next(k for k in (get_args(hints[field.name]) or (hints[field.name],)))
        flag = f"--{field.name.removesuffix('_id').replace('_', '-')}"
        names = [flag, field.name]
        if kind is bool:
            yield click.Option(names, is_flag=True, help=HELP[field.name])
        else:
            choices = listed.choices.get(field.name)
            kinds = {int: click.INT, str: click.STRING}
            of = click.Choice(choices) if choices else kinds.get(kind, click.DateTime(["%Y-%m-%d"]))
            yield click.Option(names, type=of, help=HELP[field.name])


def _form_options(listed: ExportList) -> list[click.Option]:
    sorts = list(listed.sorts)
    return [
        click.Option(["--sort"], type=click.Choice(sorts), default=sorts[0], show_default=True),
        click.Option(
            ["--format"], type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True
        ),
        click.Option(
            ["--delimiter"],
            type=click.Choice([";", ","]),
            help="Between the values of CSV: ';', and ',' with --raw.",
        ),
        click.Option(
            ["--raw"], is_flag=True, help="CSV for machines: no BOM, text as it is, lists as JSON."
        ),
        click.Option(
            ["--clear"], is_flag=True, help="Phones and licences in clear; needs --reason."
        ),
        click.Option(
            ["--reason"], help="Why in clear, kept with the export: 10 to 1,000 characters."
        ),
        click.Option(
            ["--out"],
            type=click.Path(dir_okay=False, path_type=Path),
            help="The file to write; stdout without it.",
        ),
    ]


def _export(
    name: str,
    filters: Any,
    *,
    sort: str,
    format: str,
    delimiter: str | None,
    raw: bool,
    clear: bool,
    reason: str | None,
    out: Path | None,
) -> None:
    from scout_core.export.delivery import export_to
    from scout_core.export.writer import checked_form

    actor = session.actor()
    form = checked_form(
        actor, format=format, delimiter=delimiter, is_raw=raw, is_clear=clear, reason=reason
    )
    if out is None and output.wants_json():
        raise BadInput("With --json the file needs --out: stdout is for the JSON object.")
    if out is None and format == "xlsx" and sys.stdout.isatty():
        raise BadInput("An XLSX file is not for a terminal: give --out FILE.")
    database = session.database()
    with _opened(out) as file:
        record = export_to(
            database,
            database,
            name,
            filters,
            file,
            form,
            actor=actor,
            via="cli",
            now=datetime.now(UTC),
            sort=sort,
            reason=reason,
        )
    _tell(record, out)


def _tell(record: ExportRecord, out: Path | None) -> None:
    if output.wants_json():
        output.emit({"export": record, "file": str(out)}, lambda: None)
        return
    where = "" if out is None else f" to {out}"
    output.note(f"{record.row_count:,} rows{where}, sha256 {record.sha256}")


@contextmanager
def _opened(out: Path | None) -> Iterator[BinaryIO]:
    """The file to write to; it appears under its name when it is whole."""
    if out is None:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except OSError as exc:
            output.lose(exc)
            raise
        return
    part = out.with_name(f".{out.name}.part-{os.getpid()}")
    try:
        # phones may stand in it: whom else to show it, its user says
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part.replace(out)
    except OSError as exc:
        raise ScoutError(
            f"{out} cannot be written ({exc.strerror}): give another place with --out."
        ) from exc
    finally:
        part.unlink(missing_ok=True)


for _name, _listed in LISTS.items():
    export.add_command(_verb(_name, _listed))
