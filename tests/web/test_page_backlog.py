"""The page of the backlog: categories and reasons add up and open exactly their rows."""

import pytest

from scout_core.attribution import backlog
from scout_core.db.database import LOOK
from tests.support import web
from tests.support.looking import look
from tests.web.lists import at, button_labels, captions, listed


def first_rows(database, **filters):
    with database.transaction(LOOK) as conn:
        return backlog.list_missing(conn, backlog.BacklogFilters(**filters)).rows


def test_categories_add_up_to_the_view(full):
    views = look(full)
    (snapshot,) = views.views["v_scout_attribution_metrics_snapshot"]
    missing = snapshot["persons_missing_scout"]
    page = web.open_page("backlog")
    assert (
        f"D {snapshot['backlog_d_scout_in_events_not_in_ledger']}"
        f" + A {snapshot['backlog_a_events_without_scout']}"
        f" + C {snapshot['backlog_c_legacy_no_events_no_ledger']} = {missing}" in captions(page)
    )
    assert f"{missing} personas sin scout" in captions(page)
    assert f"Exportar {missing} filas" in button_labels(page)
    reasons = listed(page, "action")
    assert sum(reasons["persons"].astype(int)) == missing
    assert reasons["share"].sum() == pytest.approx(1)


def test_category_shows_its_reasons_and_rows_alone(full):
    views = look(full)
    page = web.open_page("backlog")
    for category in "ACD":
        rows = views.rows_of("v_persons_without_scout_categorized", category=category)
        at(page, cat=category)
        reasons = listed(page, "action")
        assert sum(reasons["persons"].astype(int)) == len(rows)
        assert {reason[0] for reason in reasons["reason"]} == {category}
        assert {reason[0] for reason in listed(page, "last")["reason"]} == {category}
        assert f"{len(rows)} persona" in captions(page)


def test_reason_of_the_address_shows_its_rows_alone(full):
    rows = first_rows(full, category="A", reason_code="SCOUT_ONLY_IN_OTHER_SOURCE")
    page = web.open_page("backlog", cat="A", reason="SCOUT_ONLY_IN_OTHER_SOURCE")
    assert rows
    assert list(listed(page, "last")["person"]) == [row.person_key[:8] for row in rows]


def test_next_page_and_back(full):
    page = web.open_page("backlog")
    first = list(listed(page, "last")["person"])
    assert len(first) == 50
    page.button(key="pager_next").click().run()
    second = list(listed(page, "last")["person"])
    assert not set(first) & set(second)
    assert page.query_params["after"]
    page.button(key="pager_previous").click().run()
    assert list(listed(page, "last")["person"]) == first


def test_filter_goes_back_to_the_first_page(full):
    page = web.open_page("backlog")
    page.button(key="pager_next").click().run()
    page.toggle(key="link_leads").set_value(True).run()
    assert "after" not in page.query_params
    expected = [row.person_key[:8] for row in first_rows(full, lead_only=True)]
    assert list(listed(page, "last")["person"]) == expected


def test_unknown_money_and_scout_are_a_dash(full):
    table = listed(web.open_page("backlog", cat="C"), "last")
    assert "—" in set(table["stake"])
    assert set(table["scout"]) == {"—"}


def test_filter_without_rows_names_itself(full):
    page = web.open_page("backlog", cat="D", q="zz")
    assert "Ninguna fila con categoría D y clave que empieza con zz" in web.words(page)
    page.button(key="clear_filters").click().run()
    assert len(listed(page, "last")) == 50


BAD = [
    {"cat": "Z"}, {"reason": "x"}, {"cat": "A", "reason": "NO_EVENTS"}, {"source": "%"},
    {"leads": "x"}, {"days": "_"}, {"q": "\u202e"}, {"sort": "1"}, {"scout": "-1"},
]  # fmt: skip


def test_bad_address_never_fails(full):
    page = web.open_page("backlog")
    for filters in BAD:
        assert not at(page, **filters).exception, filters


def test_nobody_missing_is_said(empty):
    page = web.open_page("backlog")
    assert "Ninguna persona sin scout." in web.words(page)
    assert "D 0 + A 0 + C 0 = 0" in captions(page)


def test_last_rows_stay_when_the_database_goes_away(full):
    page = web.open_page("backlog")
    before = list(listed(page, "last")["person"])
    web.cut_off()
    page.run()
    assert list(listed(page, "last")["person"]) == before
    assert "La base no responde desde" in web.words(page)
