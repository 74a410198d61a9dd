"""Lists of the API: the rows of the library, by cursor and by number."""

from dataclasses import fields

import pytest

from api import lists, models
from scout_core.attribution import backlog, conflicts
from scout_core.db.database import LOOK
from scout_core.money import collection, liquidation
from tests.support.looking import value

LISTS = {
    "scouts/attribution/conflicts": conflicts.list_open,
    "scouts/attribution/backlog": backlog.list_missing,
    "scouts/liquidation/base": liquidation.list_base,
    "yango/cabinet/collection-with-scout": collection.list_claims,
}
ROWS = {
    models.Conflict: conflicts.ListedConflict,
    models.Missing: backlog.MissingPerson,
    models.Payable: liquidation.Payable,
    models.Claim: collection.Claim,
}
FIRST_KEY = {"yango/cabinet/collection-with-scout": "driver_id"}


@pytest.mark.parametrize("path", LISTS)
def test_list_is_that_of_the_library_whichever_way_it_is_paged(demo, path):
    name = FIRST_KEY.get(path, "person_key")
    with demo.database.transaction(LOOK) as conn:
        page = LISTS[path](conn, page_size=1000)
    expected = [getattr(row, name) for row in page.rows]
    size = max(1, len(expected) // 3)
    by_number, by_cursor, after = [], [], {}
    for number in range(1, 6):
        answer = demo.get(path, page=number, page_size=size).json()
        by_number += [row[name] for row in answer["items"]]
        assert answer["pagination"]["total"] == len(expected)
        assert answer["pagination"]["total_pages"] == -(-len(expected) // size)
    while after is not None:
        answer = demo.get(path, page_size=size, **after).json()
        by_cursor += [row[name] for row in answer["items"]]
        cursor = answer["pagination"]["after"]
        after = None if cursor is None else {"after": cursor}
    assert expected
    assert by_number == expected
    assert by_cursor == expected
    back = demo.get(path, page_size=size, before=answer["pagination"]["before"]).json()
    last = len(answer["items"])
    assert [row[name] for row in back["items"]] == expected[:-last][-size:]


def test_page_far_into_a_list_is_refused_with_the_way_to_go_on(demo):
    answer = demo.get("scouts/attribution/backlog", page=lists.MAX_SKIPPED + 2, page_size=1)
    assert answer.status_code == 422
    assert "cursor" in answer.json()["errors"][0]["allowed"]


@pytest.mark.parametrize(("model", "row_class"), ROWS.items())
def test_item_has_every_column_of_the_list(model, row_class):
    names = {field.name for field in fields(row_class)}
    assert names <= set(model.model_fields) <= names | {"category_label"}


@pytest.mark.parametrize(
    ("path", "given", "holds"),
    [
        ("scouts/attribution/backlog", {"category": "D"}, lambda row: row["category"] == "D"),
        (
            "yango/cabinet/collection-with-scout",
            {"scout_missing_only": True},
            lambda row: row["scout_id"] is None,
        ),
        (
            "yango/cabinet/collection-with-scout",
            {"conflicts_only": True},
            lambda row: row["is_conflict"],
        ),
    ],
)
def test_filter_leaves_exactly_its_rows(demo, path, given, holds):
    everything = demo.get(path, page_size=1000).json()["items"]
    filtered = demo.get(path, page_size=1000, **given).json()["items"]
    assert filtered == [row for row in everything if holds(row)]
    assert 0 < len(filtered) < len(everything)


def test_category_labels_are_those_of_the_view(demo):
    query = (
        "select jsonb_object_agg(category, category_label)"
        " from ops.v_persons_without_scout_categorized"
    )
    assert value(demo.database, query) == backlog.LABELS
