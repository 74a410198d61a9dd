"""The page of alerts: each number is the length of the list that it opens."""

import pytest

from tests.support import web
from tests.support.looking import rows, value


def table(page, column: str):
    return next(d.value for d in page.dataframe if column in d.value)


def test_each_reason_opens_as_many_rows_as_it_counts(full):
    counts = {
        **dict(
            map(tuple, rows(full, "select rule, count(*) from scout.data_quality_issues"
                                  " where closed_at is null group by rule"))
        ),
        **dict(
            map(tuple, rows(full, "select reason_code, count(*) from scout.src_unmatched"
                                  " where status = 'OPEN' group by reason_code"))
        ),
    }  # fmt: skip
    assert len(counts) > 3
    for rule, count in list(counts.items())[::2]:
        page = web.open_page("alerts", rule=rule)
        assert f"{count} de {count} filas" in web.words(page)


def test_sum_of_the_reasons_is_the_total(full):
    page = web.open_page("alerts")
    total = sum(int(count.replace(",", "")) for count in table(page, "next")["rows"])
    assert f"{total:,} filas por mirar" in web.words(page)
    leads = value(full, "select count(*) from ops.v_cabinet_leads_missing_scout_alerts")
    listed = table(page, "next")
    mine = listed[listed["list"] == "Leads de cabinet sin scout"]["rows"]
    assert sum(int(count.replace(",", "")) for count in mine) == leads


@pytest.mark.parametrize("rule", ["SIMILAR_KEY", "SCOUT_IN_EVENTS", "OLD_REASON"])
def test_reason_of_which_nothing_is_left_says_so(empty, rule):
    page = web.open_page("alerts", rule=rule, sort="oldest")
    assert not page.exception
    assert "Ya no queda ninguna fila" in web.words(page)


def test_nothing_to_look_at_is_good_news(empty):
    said = web.words(web.open_page("alerts"))
    assert "Nada pide atención." in said
    assert "últimos 7 días" in said


@pytest.mark.parametrize("rule", ["<script>'; drop", "x" * 300])
def test_reason_that_cannot_be_is_no_error(full, rule):
    assert not web.open_page("alerts", rule=rule).exception


def test_values_are_shown_masked_and_persons_by_key(full):
    page = web.open_page("alerts", rule="UNREADABLE_SCOUT")
    listed = table(page, "value")
    assert all(len(person) in (1, 8) for person in listed["person"])
    phones = {row[0] for row in rows(full, "select primary_phone from canon.identity_registry")}
    assert not [phone for phone in phones if phone and phone in web.words(page)]
