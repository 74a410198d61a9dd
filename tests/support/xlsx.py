"""Reads an XLSX file as a spreadsheet does: cells with their type, formulas and links seen."""

import io
import re
import zipfile
from xml.etree import ElementTree

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ESCAPED = re.compile(r"_x([0-9A-F]{4})_")


def sheets(data: bytes) -> list[list[list[object]]]:
    """Every sheet as rows of values: text as str, numbers as float, flags as bool, else None.

    Fails on a formula or a link: a file of ours has none.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        names = sorted(n for n in book.namelist() if n.startswith("xl/worksheets/sheet"))
        assert not [n for n in book.namelist() if "_rels/sheet" in n]
        return [_rows(ElementTree.fromstring(book.read(name))) for name in names]  # noqa: S314


def _rows(sheet: ElementTree.Element) -> list[list[object]]:
    assert sheet.find(f".//{MAIN}f") is None
    assert sheet.find(f".//{MAIN}hyperlink") is None
    rows = []
    for row in sheet.iter(f"{MAIN}row"):
        cells: list[object] = []
        for cell in row:
            place = _column(cell.get("r", "A1"))
            cells += [None] * (place - len(cells)) + [_value(cell)]
        rows.append(cells)
    return rows


def _column(reference: str) -> int:
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter) - 64
    return number - 1


def _value(cell: ElementTree.Element) -> object:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        text = "".join(t.text or "" for t in cell.iter(f"{MAIN}t"))
        return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)
    value = cell.findtext(f"{MAIN}v")
    assert kind in ("n", "b"), kind
    if value is None:
        return None
    return bool(int(value)) if kind == "b" else float(value)
