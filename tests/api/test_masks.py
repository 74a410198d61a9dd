"""Who may not see names, phones and licences of drivers finds none in any list, file or answer."""

import csv
import io
from dataclasses import dataclass, fields

import pytest
from pydantic import BaseModel

from api import models
from scout_core.access import masks, permissions
from scout_core.access.permissions import Actor
from scout_core.export.lists import LISTS
from scout_core.export.writer import KINDS_BY_NAME
from tests.api.test_head import PATHS, filled
from tests.support import drivers, xlsx

CLAIMS = "yango/cabinet/collection-with-scout"
WORDS = ("name", "phone", "license", "licence", "document", "email")
# fields that say nothing of a driver, and those that are masked for everybody where they are made
OPEN = {
    "scout_name", "check_name", "Step.name", "has_license", "has_phone", "shares_license",
    "shares_phone", "has_other_license",
}  # fmt: skip
MASKED_FOR_ALL = {
    "RowCandidate.name", "RowCandidate.phone", "RowCandidate.license", "ExplainedRow.name",
    "ExplainedRow.phone", "ExplainedRow.license",
}  # fmt: skip


@pytest.fixture(scope="module")
def known():
    """Values of path parameters, and what is personal, looked up once."""
    return {}, set()


def personal(demo, known):
    known[1].update(known[1] or drivers.values(demo.database))
    assert len(known[1]) > 500
    return known[1]


def text_of(path, answer):
    if path.endswith(".xlsx"):
        return "\n".join(str(cell) for sheet in xlsx.sheets(answer.content) for row in sheet
                         for cell in row)  # fmt: skip
    return answer.content.decode()


@pytest.mark.parametrize("path", PATHS)
def test_viewer_reads_nothing_personal(demo, known, path):
    demo.be("viewer")
    place = f"/v1{filled(demo, known[0], path)}"
    answer = demo.client.get(place)
    assert answer.status_code == 200
    if '"pagination"' in answer.text:
        answer = demo.client.get(place, params={"page_size": 1000})
    text = text_of(path, answer)
    assert len(text) > 20
    assert [value for value in personal(demo, known) if value in text] == []


def test_names_are_masked_for_viewers_and_for_nobody_else(demo):
    rows_of = {}
    for role in ("viewer", "analyst", "operator", "admin"):
        demo.be(role)
        listed = demo.get(CLAIMS, page_size=1000).json()["items"]
        file = demo.get(f"{CLAIMS}.csv", raw=True).content.decode()
        lines = list(csv.DictReader(io.StringIO(file, newline="")))
        rows_of[role] = [row["driver_name"] for row in listed]
        assert [line["driver_name"] for line in lines] == [name or "" for name in rows_of[role]]
        assert {row["scout_name"] for row in listed} == {
            line["scout_name"] or None for line in lines
        }
    names = rows_of["analyst"]
    assert len({name for name in names if name}) > 20
    assert rows_of["operator"] == rows_of["admin"] == names
    assert rows_of["viewer"] == [masks.mask_name(name) for name in names]
    limited = Actor("token", "viewer", frozenset({"read", "export"}))
    assert not permissions.sees_names(limited)


def test_each_column_that_may_be_personal_is_masked_or_known_to_be_open():
    """A new column of this kind has to be named here or in masks."""
    found = {
        (model.__name__, name)
        for model in vars(models).values()
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name in model.model_fields
        if any(word in name for word in WORDS)
    }
    found |= {
        (f"file {name}", field.name)
        for name, listed in LISTS.items()
        for field in fields(listed.row_class)
        if any(word in field.name for word in WORDS)
    }
    assert len(found) > 10
    for place, name in sorted(found):
        kinds = {name, f"{place}.{name}"}
        is_covered = name in masks.NAMES or KINDS_BY_NAME.get(name) in {"phone", "license"}
        assert kinds & (OPEN | MASKED_FOR_ALL) or is_covered, (place, name)
    for name in masks.NAMES:
        assert KINDS_BY_NAME[name] == "person"


def test_row_without_such_columns_is_left_as_it_is():
    @dataclass(frozen=True)
    class Row:
        scout_name: str

    row = Row("María Huamán")
    assert masks.without_names(row) is row
