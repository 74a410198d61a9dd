"""The page of the scouts: numbers are those of the lists that they open."""

import pytest

from tests.support import web
from tests.support.looking import look


def table(page, column: str):
    return next(d.value for d in page.dataframe if column in d.value)


def cells(page, scout: int):
    listed = table(page, "situation")
    return listed[listed["scout"].str.split().str[0] == str(scout)].iloc[0]


def busiest(database) -> int:
    attributed = [row["scout_id"] for row in look(database).views["v_scout_payment_base"]]
    return max(set(attributed), key=lambda scout: (attributed.count(scout), scout))


def test_scorecard_shows_the_lengths_of_the_lists(full):
    views = look(full)
    scout = busiest(full)
    page = web.open_page("scouts", scout=str(scout))
    row = cells(page, scout)
    assert int(row["persons"]) == len(views.rows_of("v_scout_payment_base", scout_id=scout))
    assert int(row["backlog"]) == len(
        views.rows_of("v_persons_without_scout_categorized", scout_id=scout)
    )
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown["Personas"] == row["persons"]
    assert shown["Por cobrar"].split() == row["unpaid"].split()


def test_scout_of_the_link_is_shown_and_nobody_else(full):
    scout = busiest(full)
    assert f"Scout {scout}" in web.words(web.open_page("scouts", scout=str(scout)))
    assert not web.open_page("scouts").metric


def test_scout_that_nobody_knows_is_said_plainly(full):
    scout = "2147483647"
    assert f"Nadie conoce al scout {scout}." in web.words(web.open_page("scouts", scout=scout))


@pytest.mark.parametrize("scout", ["0", "٣", "9" * 30, "1; drop table x"])
def test_scout_that_cannot_be_counts_as_not_given(full, scout):
    page = web.open_page("scouts", scout=scout, pair="x-y", kind="Z", sort="Z")
    assert not page.exception
    assert not page.metric


def test_situation_is_a_filter_and_says_when_nobody_is_in_it(full, empty):
    page = web.open_page("scouts", kind="inactive")
    assert "Ningún scout en esta situación." in web.words(page)


def test_inactive_scouts_are_told_by_a_word(full):
    listed = table(web.open_page("scouts", kind="inactive"), "situation")
    assert set(listed["situation"]) == {"inactivo"}


def test_pair_opens_its_conflicts(full):
    conflicts = look(full).views["v_scout_attribution_conflicts"]
    low, high = conflicts[0]["scout_ids"][:2]
    both = [r for r in conflicts if low in r["scout_ids"] and high in r["scout_ids"]]
    page = web.open_page("scouts", pair=f"{high}-{low}")
    shared = table(page, "last")
    assert len(shared) == len(both)
    assert f"Conflictos de {low} con {high}" in web.words(page)


def test_pair_without_conflicts_says_so(full):
    assert "ya no comparte ningún conflicto" in web.words(web.open_page("scouts", pair="1-999"))


def test_no_scout_at_all_is_a_sentence(empty):
    said = web.words(web.open_page("scouts"))
    assert "Aún no hay ningún scout" in said
    assert "Ninguna pareja de scouts" in said


def test_hostile_names_stay_text(odd):
    for scout in (1, 3):
        page = web.open_page("scouts", scout=str(scout))
        assert not page.exception
        heading = "\n".join(h.value for h in page.subheader)
        assert "](http" not in heading
        assert "<script>" not in heading


def test_scouts_keep_what_was_read_when_the_database_goes_away(full):
    page = web.open_page("scouts")
    before = table(page, "situation").to_dict()
    web.cut_off()
    page.run()
    assert table(page, "situation").to_dict() == before
    assert "La base no responde desde" in web.words(page)
