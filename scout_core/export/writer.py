"""The one writer of files: CSV and XLSX of a list, row by row, with what an audit row needs.

    with db.transaction(EXPORT) as conn:
        facts = write(rows, columns_of(Claim), out, Form("csv"))

CSV is streamed: UTF-8 with a BOM, everything quoted, `;` between, text neutralised (neutral.py).
XLSX holds typed cells and no formula, link or number made of text. The raw form is for machines:
no BOM, no apostrophes, `,` between, lists as JSON, text as it is in the database.
Phones and licences are masked in both unless they are asked for in clear, and so are the names of
drivers for viewers.
"""

import codecs
import contextlib
import hashlib
import json
import tempfile
import types
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO, Literal, Union, get_args, get_origin, get_type_hints

from scout_core.access import masks, permissions
from scout_core.access.note import NOTE_MAX, NOTE_MIN, optional_note
from scout_core.access.permissions import Actor
from scout_core.db.database import Profile
from scout_core.errors import BadInput
from scout_core.export import neutral

Format = Literal["csv", "xlsx"]
Kind = Literal[
    "text", "name", "person", "phone", "license", "number", "money", "date", "time", "flag", "list"
]

# One snapshot, read only, as pages have it; a large file takes longer than a page may.
EXPORT = Profile("export", "scout_reader", 2_000, 300_000, is_read_only=True, is_snapshot=True)
FORMATS: tuple[Format, ...] = ("csv", "xlsx")
DELIMITERS = (";", ",")
MEDIA_TYPES: Mapping[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
KINDS_BY_NAME: Mapping[str, Kind] = {
    **dict.fromkeys(masks.NAMES, "person"),
    "scout_name": "name",
    "driver_phone": "phone",
    "driver_license": "license",
}
KINDS_BY_TYPE: tuple[tuple[type, Kind], ...] = (
    (bool, "flag"),
    (int, "number"),
    (Decimal, "money"),
    (datetime, "time"),
    (date, "date"),
    (list, "list"),
)
CHUNK = 2000
MEMO = 5000  # values of a column that are remembered
SHEET_ROWS = 1_000_000  # a sheet holds 1,048,576
CELL_LENGTH = 32_000  # a cell holds 32,767


@dataclass(frozen=True)
class Column:
    """A column of a file: the field of the row, what kind of value, its heading."""

    name: str
    kind: Kind
    heading: str


@dataclass(frozen=True)
class Form:
    """How a file is written. delimiter null = `;`, `,` in the raw form. has_names: names of drivers
    as they are, masked else."""

    format: Format = "csv"
    delimiter: str | None = None
    is_raw: bool = False
    is_clear: bool = False
    has_names: bool = False


@dataclass(frozen=True)
class Written:
    """What was written: rows without the heading, bytes, sha256 of the file in hex."""

    row_count: int
    byte_count: int
    sha256: str


def checked_form(
    actor: Actor,
    *,
    format: str = "csv",
    delimiter: str | None = None,
    is_raw: bool = False,
    is_clear: bool = False,
    reason: str | None = None,
) -> Form:
    """The form that is asked for. BadInput for one that there is not, or clear without a reason;
    PermissionDenied when the actor's role may not see phones and licences in clear."""
    if format not in FORMATS:
        raise BadInput(f"There is no format {format!r:.20}: give csv or xlsx.", parameter="format")
    if delimiter is not None and delimiter not in DELIMITERS:
        raise BadInput("The delimiter must be ';' or ','.", parameter="delimiter")
    if is_raw and format != "csv":
        raise BadInput("The raw form is CSV only.", parameter="raw")
    if is_clear:
        permissions.require(actor, "export_clear")
        if optional_note(reason) is None:
            raise BadInput(
                f"Phones and licences in clear need a reason of {NOTE_MIN} to {NOTE_MAX:,} "
                "characters: it is kept with the export.",
                parameter="reason",
            )
    return Form(
        "xlsx" if format == "xlsx" else "csv",
        delimiter,
        is_raw,
        is_clear,
        permissions.sees_names(actor),
    )


def columns_of(row_class: type, headings: Mapping[str, str] | None = None) -> tuple[Column, ...]:
    """The columns of a list, one for each field of its rows, kinds taken from the types."""
    hints = get_type_hints(row_class)
    return tuple(
        Column(f.name, _kind(f.name, hints[f.name]), (headings or {}).get(f.name, f.name))
        for f in fields(row_class)
    )


def write(
    rows: Iterable[tuple[Any, ...]], columns: Sequence[Column], out: BinaryIO, form: Form
) -> Written:
    """Write every row to `out` as it comes; memory does not grow with the rows of a CSV file."""
    counted = _Counted(out)
    if form.format == "csv":
        row_count = _write_csv(rows, columns, counted, form)
    else:
        row_count = _write_xlsx(rows, columns, counted, form)
    return Written(row_count, counted.byte_count, counted.digest.hexdigest())


class _Counted:
    """Bytes on their way out, counted and hashed."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.byte_count = 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.out.write(data)
        self.byte_count += len(data)
        self.digest.update(data)


def _write_csv(
    rows: Iterable[tuple[Any, ...]], columns: Sequence[Column], out: _Counted, form: Form
) -> int:
    delimiter = form.delimiter or ("," if form.is_raw else ";")
    between = f'"{delimiter}"'

    def lines(cells: Iterable[Iterable[str]]) -> bytes:
        text = "".join([f'"{between.join(line)}"\r\n' for line in cells])
        return text.encode("utf-8", "replace")

    heads = [column.name if form.is_raw else column.heading for column in columns]
    out.write(b"" if form.is_raw else codecs.BOM_UTF8)
    out.write(lines([[_doubled(head) for head in heads]]))
    cells = [_Cells(_cell(column.kind, form)) for column in columns]
    row_count = 0
    with contextlib.closing(_fetched_ahead(rows)) as chunks:
        for chunk in chunks:
            # column by column: most values of a column repeat
            by_column = zip(*chunk, strict=True)
            texts = [
                _texts(column.kind, kind, values)
                for column, kind, values in zip(columns, cells, by_column, strict=True)
            ]
            out.write(lines(zip(*texts, strict=True)))
            row_count += len(chunk)
    return row_count


def _fetched_ahead(rows: Iterable[tuple[Any, ...]]) -> Generator[list[tuple[Any, ...]]]:
    """The rows in chunks, the next one fetched by another thread while the caller has one. Close
    it before the connection of the rows is used again."""
    coming = iter(rows)

    def fetch() -> list[tuple[Any, ...]]:
        return list(islice(coming, CHUNK))

    with ThreadPoolExecutor(1, "export fetch") as fetcher:
        fetched = fetcher.submit(fetch)
        while chunk := fetched.result():
            fetched = fetcher.submit(fetch)
            yield chunk


def _texts(kind: Kind, cells: "_Cells", values: tuple[Any, ...]) -> Iterable[str]:
    if kind == "money":  # 1.0 and 1.00 are one key and two texts
        return map(cells.of, values)
    if kind == "list":
        values = tuple([None if value is None else tuple(value) for value in values])
    return map(cells.__getitem__, values)


class _Cells(dict[Any, str]):
    """The text of each value that was met, as it stands between quotes."""

    def __init__(self, write: Callable[[Any], str]) -> None:
        super().__init__({None: ""})
        self.write = write

    def of(self, value: Any) -> str:
        return "" if value is None else _doubled(self.write(value))

    def __missing__(self, value: Any) -> str:
        text = self.of(value)
        if len(self) < MEMO:
            self[value] = text
        return text


def _doubled(text: str) -> str:
    return text.replace('"', '""')


def _write_xlsx(rows: Iterable[Any], columns: Sequence[Column], out: _Counted, form: Form) -> int:
    import xlsxwriter  # type: ignore[import-untyped]  # slow to import, needed only here

    row_count = 0
    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(
            file,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_date_format": "dd/mm/yyyy",
            },
        )
        bold = book.add_format({"bold": True})
        formats = {
            "money": book.add_format({"num_format": "#,##0.00"}),
            "date": book.add_format({"num_format": "dd/mm/yyyy"}),
            "time": book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"}),
        }
        sheet = None
        for row in rows:
            if row_count % SHEET_ROWS == 0:
                sheet = _add_sheet(book, columns, bold)
            _fill(sheet, row_count % SHEET_ROWS + 1, columns, row, formats, form)
            row_count += 1
        if sheet is None:
            _add_sheet(book, columns, bold)
        book.close()
        file.seek(0)
        while chunk := file.read(1 << 16):
            out.write(chunk)
    return row_count


def _add_sheet(book: Any, columns: Sequence[Column], bold: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, 14 if column.kind in ("money", "number", "date") else 22)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.heading, bold)
    return sheet


def _fill(
    sheet: Any,
    line: int,
    columns: Sequence[Column],
    values: tuple[Any, ...],
    formats: Mapping[str, Any],
    form: Form,
) -> None:
    for place, (column, value) in enumerate(zip(columns, values, strict=True)):
        if value is None:
            continue
        if column.kind == "flag":
            sheet.write_boolean(line, place, value)
        elif column.kind in ("number", "money"):
            sheet.write_number(line, place, float(value), formats.get(column.kind))
        elif column.kind in ("date", "time") and value.year >= 1900:
            moment = value.replace(tzinfo=None) if isinstance(value, datetime) else value
            sheet.write_datetime(line, place, moment, formats[column.kind])
        else:
            sheet.write_string(line, place, _text(column.kind, form)(value)[:CELL_LENGTH])


def _kind(name: str, hint: Any) -> Kind:
    if name in KINDS_BY_NAME:
        return KINDS_BY_NAME[name]
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    found = [get_origin(option) or option for option in options if option is not type(None)]
    for kind_type, kind in KINDS_BY_TYPE:
        if kind_type in found:
            return kind
    return "text"


def _cell(kind: Kind, form: Form) -> Callable[[Any], str]:
    """How a value that is not null stands in a CSV file."""
    if kind in ("number", "money", "date", "time"):
        return _isoformat if kind in ("date", "time") else str
    if kind == "flag":
        return lambda value: "true" if value else "false"
    as_text = _text(kind, form)
    return as_text if form.is_raw else lambda value: neutral.neutralise(as_text(value))


def _text(kind: Kind, form: Form) -> Callable[[Any], str]:
    if kind == "phone" and not form.is_clear:
        return lambda value: masks.mask_phone(value) or ""
    if kind == "license" and not form.is_clear:
        return lambda value: masks.mask_code(value) or ""
    if kind == "person" and not (form.has_names or form.is_clear):
        return lambda value: masks.mask_name(value) or ""
    if kind == "list":
        return _json if form.is_raw else _joined
    if form.is_raw:
        return str
    return neutral.clean_name if kind in ("name", "person") else _clean


def _clean(value: Any) -> str:
    return neutral.clean(str(value))


def _isoformat(value: date) -> str:
    return value.isoformat()


def _json(values: Sequence[Any]) -> str:
    return json.dumps(values, ensure_ascii=False)


def _joined(values: Sequence[Any]) -> str:
    return " · ".join(neutral.clean(str(value)) for value in values)
