"""Files of lists: what is read back is what was written, and no cell is more than text."""

import csv
import hashlib
import io
import json
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scout_core.access.permissions import Actor
from scout_core.db.database import ADMIN, Database
from scout_core.errors import BadInput, PermissionDenied
from scout_core.export import neutral, writer
from scout_core.export.lists import LISTS, export_list
from scout_core.export.writer import EXPORT, Form, columns_of, write
from scout_core.money.collection import Claim, CollectionFilters
from tests.support import factories, xlsx
from tests.support.looking import installed

ANALYST = Actor("ana", "analyst")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
STARTS = "=+-@\t\r\n|%＝＋－＠｜％"
# 28: formulas, also after blanks and in other widths
FORMULAS = [
    '=HYPERLINK("http://x","y")', "+51 999 888 777", "-1", "-2+3", "@SUM(A1)", "\t=1", "\r=1",
    "\n=1", "=1", "＝1+1", "＋1", "－1", "＠x", "|calc", "%x", " =1", "   +1", "\u00a0=1", " ＝1",
    "\u200b=1", "\u202e=1", "\u2003@x", "﹦1", "'=1", "''", "'", "=cmd|' /C calc'!A0",
]  # fmt: skip
# 29: what a page or a reader of markdown would take for more than text
MARKUP = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "![x](http://evil.example/a.png)",
    "[a](javascript:alert(1))", ":red[x]", "$x^2$", 'a"b', "a;b", "a,b", "a\r\nb", "a\tb",
    "{{7*7}}", "_x0041_", "</t></is>", "&amp;", "ñandú Pérez", "李小龍", "😀",
]  # fmt: skip
# what a spreadsheet changes: leading zeros, long numbers, exponents, dates
NUMBERS = ["01234567", "40123456", "51999888777", "12E5", "1.5", "1,5", "3-4", "12/05", "1:30", "0"]
# 30: unseen characters and very long names
UNSEEN = ["abc\u202edef", "a\u200bb\u200dc", "\ufeffx", "\u2066y\u2069", "a\x07b\x1bc", "\u00ad"]
LONG = "Ñ" * 10_000
BAD = [*FORMULAS, *MARKUP, *NUMBERS, *UNSEEN]


def reads_as_more(cell: str) -> bool:
    """Whether a spreadsheet would take the cell for a formula."""
    seen = "".join(
        c for c in unicodedata.normalize("NFKC", cell)
        if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc")
    )  # fmt: skip
    return seen[:1] in tuple("=+-@|%") or cell[:1] in tuple("\t\r\n")


@given(st.text(max_size=60) | st.sampled_from(BAD) | st.text(STARTS + " '\u200b1a", max_size=8))
@example("")
@example("'")
@example("\u200b")
def test_neutraliser_gives_back_what_it_was_given_and_starts_nothing(text: str) -> None:
    neutral_text = neutral.neutralise(text)
    assert neutral.restore(neutral_text) == text
    assert not reads_as_more(neutral_text)
    assert neutral_text in (text, "'" + text)


@pytest.mark.parametrize("text", [f for f in FORMULAS if f] + NUMBERS)
def test_what_a_spreadsheet_would_change_is_marked(text: str) -> None:
    assert neutral.neutralise(text) == "'" + text


@pytest.mark.parametrize(
    "text",
    ["", "Ana", "ñandú", "a=b", "(962) 288-249", "9••••• 249", "Q 6585 9362", "Av. Lima 12",
     "f8049a80-25d9-2679-76cf-fa5e786dc4a2", "14 · 7", "¿?", "4_30_plus"],
)  # fmt: skip
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert neutral.neutralise(text) == text


def test_unseen_characters_go_and_long_names_end() -> None:
    assert [neutral.clean(text) for text in UNSEEN] == ["abcdef", "abc", "x", "y", "abc", ""]
    assert neutral.clean("a\tb\r\n") == "a\tb\r\n"
    assert neutral.clean("José 😀 李") == "José 😀 李"
    assert neutral.clean_name(LONG) == "Ñ" * 79 + "…"
    assert neutral.clean_name("Ñ" * 80) == "Ñ" * 80


@dataclass(frozen=True)
class Thing:
    name: str | None
    driver_name: str | None
    driver_phone: str | None
    driver_license: str | None
    scout_id: int | None
    amount: Decimal | None
    on: date | None
    seen_at: datetime | None
    is_open: bool | None
    scout_ids: list[int]


FULL = Thing(
    "=1", "Ana", "+51 999 888 777", "Q-12345678", 14, Decimal("-1250.50"), date(2026, 3, 2),
    datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC), True, [14, 7],
)  # fmt: skip
NOTHING = Thing(None, None, None, None, None, None, None, None, None, [])
ZERO = Thing("", "", "no tiene", "S/N", 0, Decimal(0), date(9, 1, 1), None, False, [3])


def written(form: Form, rows: list[Any], of: type = Thing) -> tuple[bytes, writer.Written]:
    out = io.BytesIO()
    facts = write((astuple(row) for row in rows), columns_of(of), out, form)
    return out.getvalue(), facts


def parsed(data: bytes, delimiter: str = ";") -> list[list[str]]:
    text = data.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def test_csv_has_a_bom_quotes_all_and_masks_identifiers() -> None:
    data, facts = written(Form(), [FULL, NOTHING, ZERO])
    assert data.startswith(b'\xef\xbb\xbf"name";"driver_name"')
    head, full, nothing, zero = parsed(data)
    assert head == [field.name for field in columns_of(Thing)]
    assert full == [
        "'=1", "Ana", "9••••• 777", "Q1•••••78", "14", "-1250.50", "2026-03-02",
        "2026-03-02T15:04:05+00:00", "true", "14 · 7",
    ]  # fmt: skip
    assert set(nothing) == {""}
    assert zero[4:6] == ["0", "0"]
    assert zero[9] == "'3"
    assert facts.row_count == 3
    assert facts.byte_count == len(data)
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert data.count(b"\r\n") == 4
    assert b"999 888" not in data
    assert b"12345678" not in data


def test_comma_and_headings_on_request() -> None:
    out = io.BytesIO()
    columns = columns_of(Thing, {"driver_name": "Conductor, nombre"})
    write([astuple(FULL)], columns, out, Form(delimiter=","))
    assert parsed(out.getvalue(), ",")[0][1] == "Conductor, nombre"
    assert parsed(out.getvalue(), ",")[1][0] == "'=1"


def test_clear_shows_phones_and_licences_as_text() -> None:
    data, _ = written(Form(is_clear=True), [FULL])
    assert parsed(data)[1][2:4] == ["'+51 999 888 777", "Q-12345678"]
    data, _ = written(Form("xlsx", is_clear=True), [FULL])
    assert xlsx.sheets(data)[0][1][2:4] == ["+51 999 888 777", "Q-12345678"]


def test_raw_form_is_the_data_as_it_is_for_machines() -> None:
    rows = [Thing(**{**vars(NOTHING), "name": text, "driver_name": text}) for text in [*BAD, LONG]]
    data, _ = written(Form(is_raw=True, has_names=True), [FULL, *rows])
    assert not data.startswith(b"\xef\xbb\xbf")
    found = parsed(data, ",")
    assert found[0][0] == "name"
    assert [row[0] for row in found[2:]] == [row[1] for row in found[2:]] == [*BAD, LONG]
    assert json.loads(found[1][9]) == [14, 7]
    assert found[1][2] == "9••••• 777"


def test_xlsx_has_typed_cells_and_no_formula() -> None:
    data, facts = written(Form("xlsx"), [FULL, NOTHING, ZERO])
    ((head, full, nothing, zero),) = xlsx.sheets(data)
    assert head == [column.name for column in columns_of(Thing)]
    assert full[:6] == ["=1", "Ana", "9••••• 777", "Q1•••••78", 14.0, -1250.5]
    assert full[6] == 46083.0  # 2 March 2026 in days since 1900
    assert full[8:] == [True, "14 · 7"]
    assert [cell for cell in nothing if cell not in (None, "")] == []
    assert zero[4:6] == [0.0, 0.0]
    assert zero[6] == "0009-01-01"
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    empty, facts = written(Form("xlsx"), [])
    assert facts.row_count == 0
    assert len(xlsx.sheets(empty)[0]) == 1


def test_xlsx_goes_on_in_another_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "SHEET_ROWS", 3)
    data, facts = written(Form("xlsx"), [FULL] * 7)
    assert [len(sheet) for sheet in xlsx.sheets(data)] == [4, 4, 2]
    assert facts.row_count == 7


def test_csv_is_written_as_the_rows_come() -> None:
    """Nothing is gathered: no more than one chunk is asked for before the one before is out."""
    out = io.BytesIO()
    sizes = []

    def rows() -> Iterator[tuple[Any, ...]]:
        for _ in range(3 * writer.CHUNK):
            sizes.append(out.tell())
            yield astuple(FULL)

    write(rows(), columns_of(Thing), out, Form())
    assert sizes[writer.CHUNK - 1] == sizes[0] < 200
    assert sizes[0] < sizes[2 * writer.CHUNK + 1] < out.tell()


def test_rows_are_at_rest_when_the_writer_ends() -> None:
    """Also when the reader is gone: whose connection the rows come from may use it at once."""
    asked: list[int] = []

    class Leaving(io.BytesIO):
        def write(self, data: Any) -> int:
            if self.tell() > 200:
                raise ConnectionResetError
            return super().write(data)

    def rows() -> Iterator[tuple[Any, ...]]:
        for n in range(5 * writer.CHUNK):
            asked.append(n)
            yield astuple(FULL)

    before = threading.active_count()
    with pytest.raises(ConnectionResetError):
        write(rows(), columns_of(Thing), Leaving(), Form())
    assert threading.active_count() == before
    assert len(asked) == 3 * writer.CHUNK


@pytest.fixture(scope="module")
def bad_db(server_url: str) -> Iterator[Database]:
    """A claim and a scout for each bad string."""
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            for number, text in enumerate([*BAD, LONG], 1):
                person = factories.person(conn)
                factories.scout_listed(conn, number, name=text)
                factories.ledger(conn, person=person, scout=number)
                factories.claim(
                    conn, person=person, driver=f"d{number:04}", milestone=number, driver_name=text
                )
        yield db


def exported(db: Database, name: str, form: Form, **more: Any) -> tuple[bytes, Any]:
    out = io.BytesIO()
    with db.transaction(EXPORT) as conn:
        record = export_list(
            conn, name, more.pop("filters", None), out, form, actor=ANALYST, now=NOW, **more
        )
    return out.getvalue(), record


def test_file_with_every_bad_string_opened_again_equals_the_data(bad_db: Database) -> None:
    cleaned = [neutral.clean_name(text) for text in [*BAD, LONG]]
    names = [column.name for column in columns_of(Claim)]
    name, milestone = names.index("driver_name"), names.index("milestone_value")
    scout = names.index("scout_name")
    for form in (Form(), Form(delimiter=","), Form(is_raw=True), Form("xlsx")):
        data, record = exported(bad_db, "collection", replace(form, has_names=True))
        assert record.row_count == len(BAD) + 1
        if form.format == "xlsx":
            (cells,) = xlsx.sheets(data)
            read: Any = {int(float(str(row[milestone]))): row[name] or "" for row in cells[1:]}
        else:
            rows = parsed(data, form.delimiter or ("," if form.is_raw else ";"))[1:]
            if not form.is_raw:
                assert [c for row in rows for c in row if reads_as_more(c)] == []
            back = str if form.is_raw else neutral.restore
            read = {int(row[milestone]): back(row[name]) for row in rows}
            assert all(row[name] == row[scout] for row in rows)
        expected = [*BAD, LONG] if form.is_raw else cleaned
        assert [read[number] for number in sorted(read)] == expected


def test_export_is_the_filtered_list_in_its_order_and_says_what_it_was(bad_db: Database) -> None:
    filters = CollectionFilters(scout_id=3, driver="d")
    data, record = exported(bad_db, "collection", Form(), filters=filters, sort="amount")
    assert len(parsed(data)) == 2
    assert (record.row_count, record.filters) == (1, {"scout_id": 3, "driver": "d"})
    assert (record.actor, record.role, record.list_name) == ("ana", "analyst", "collection")
    assert (record.sort, record.format, record.taken_at) == ("amount", "csv", NOW)
    assert record.sha256 == hashlib.sha256(data).hexdigest()
    with pytest.raises(BadInput, match="conflicts, backlog, collection, liquidation"):
        exported(bad_db, "persons", Form())


def test_each_list_can_be_exported_when_it_is_empty(bad_db: Database) -> None:
    for name, listed in LISTS.items():
        known = listed.filters.__dataclass_fields__
        given = {name: 2**31 - 1 for name in ("scout_id", "run_id") if name in known}
        data, record = exported(bad_db, name, Form(), filters=listed.filters(**given))
        assert record.row_count == 0
        assert parsed(data) == [[column.name for column in columns_of(listed.row_class)]]


def test_clear_needs_the_role_and_a_reason() -> None:
    reason = "llamar a los conductores"
    assert writer.checked_form(ANALYST, is_clear=True, reason=reason).is_clear
    for role in ("viewer", "operator"):
        with pytest.raises(PermissionDenied, match="admin or analyst"):
            writer.checked_form(Actor("v", role), is_clear=True, reason=reason)  # type: ignore[arg-type]
    for bad in (None, "", "short", "x" * 1001, " " * 20):
        with pytest.raises(BadInput, match="10 to 1,000"):
            writer.checked_form(ANALYST, is_clear=True, reason=bad)
    for wrong in ({"format": "pdf"}, {"delimiter": "\t"}, {"format": "xlsx", "is_raw": True}):
        with pytest.raises(BadInput):
            writer.checked_form(ANALYST, **wrong)
    assert not writer.checked_form(Actor("v", "viewer"), format="xlsx").is_clear
