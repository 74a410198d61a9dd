"""Routes of the checks of the sources: the library's rows, by cursor, as a file, and refusals."""

from dataclasses import fields

from api import models
from scout_core.db.database import LOOK
from scout_core.health import source_checks
from tests.api.test_exports import read
from tests.api.test_problems import problem

BASE = "scouts/attribution/quality"


def test_checks_are_told_with_the_number_of_rows_that_they_open(demo):
    told = demo.be("viewer").get(BASE).json()["checks"]
    assert [check["check"] for check in told] == list(source_checks.CHECK_NAMES)
    found = [check for check in told if check["last"]["state"] == "FOUND"]
    assert len(found) > 4
    for check in found:
        listed = demo.get(f"{BASE}/rows", check=check["check"], page_size=1).json()
        assert listed["pagination"]["total"] == check["last"]["row_count"] > 0
        assert listed["items"][0]["check_name"] == check["check"]


def test_one_check_is_told_with_its_history_and_none_of_another(demo):
    told = demo.get(f"{BASE}/shared_phones").json()
    assert told["severity"] == "WARN"
    assert [run["ran_at"] for run in told["history"]] == [told["last"]["ran_at"]]
    problem(demo.get(f"{BASE}/phones"), 422)
    problem(demo.get(f"{BASE}/rows", check="phones"), 422)
    problem(demo.be(None).get(BASE), 401)


def test_rows_are_paged_by_cursor_and_are_those_of_the_file(demo):
    with demo.database.transaction(LOOK) as conn:
        expected = [row.source_pk for row in source_checks.list_rows(conn, page_size=1000).rows]
    got, after = [], {}
    while after is not None:
        page = demo.get(f"{BASE}/rows", page_size=5, **after).json()
        got += [row["source_pk"] for row in page["items"]]
        cursor = page["pagination"]["after"]
        after = None if cursor is None else {"after": cursor}
    assert got == expected
    file = read(demo.get(f"{BASE}/rows.csv", raw=True), ",")
    assert [row["source_pk"] for row in file] == expected
    one = read(demo.get(f"{BASE}/rows.csv", check="unreadable_scouts"))
    assert {row["check_name"] for row in one} == {"unreadable_scouts"}
    assert len(one) < len(expected)


def test_item_has_every_column_of_the_rows():
    assert set(models.QualityRow.model_fields) == {f.name for f in fields(source_checks.QualityRow)}
