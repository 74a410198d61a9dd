"""The health page: its numbers are those of the views, its states are said in words."""

from datetime import timedelta

import pytest

from scout_core.attribution import coverage
from scout_core.db.database import LOOK
from tests.support import web
from tests.support.looking import look
from ui.health import view
from ui.parts import read
from ui.parts.text import number, percent


@pytest.fixture
def snapshot(full):
    with full.transaction(LOOK) as conn:
        return coverage.snapshot(conn)


def test_health_numbers_are_those_of_the_views(full, snapshot):
    page = web.open_page("health")
    shown = {metric.label: metric.value for metric in page.metric}
    views = look(full).views
    assert shown["Sin scout"] == number(len(views["v_persons_without_scout_categorized"]))
    assert shown["Conflictos"] == number(len(views["v_scout_attribution_conflicts"]))
    assert shown["Satisfactorio, todas"] == percent(snapshot.pct_scout_satisfactory)
    assert shown["Satisfactorio, leads"] == percent(snapshot.pct_scout_satisfactory_leads)
    claims = views["v_yango_collection_with_scout"]
    assert shown["Claims con scout"] == number(sum(row["is_scout_resolved"] for row in claims))


def test_reasons_add_up_to_the_persons_without_scout(full, snapshot):
    page = web.open_page("health")
    (table,) = (frame for frame in page.dataframe)
    assert sum(int(count.replace(",", "")) for count in table.value["persons"]) == (
        snapshot.persons_missing_scout
    )
    only_d = web.open_page("health", cat="D").dataframe[0].value
    assert sum(int(count.replace(",", "")) for count in only_d["persons"]) == (
        snapshot.backlog_d_scout_in_events_not_in_ledger
    )


def test_health_of_an_empty_database_says_what_to_do_next(empty):
    said = web.words(web.open_page("health"))
    assert "Sin dato: aún no hay personas" in said
    assert "Ejecuta la primera" in said
    assert "Aún no hay personas registradas." in said


def test_health_keeps_the_last_numbers_with_their_time_when_the_database_goes_away(
    full, monkeypatch
):
    page = web.open_page("health")
    before = {metric.label: metric.value for metric in page.metric}
    web.cut_off()
    # asked again in another minute it is the same question
    later = read.now() + timedelta(minutes=7)
    monkeypatch.setattr(read, "now", lambda: later)
    page.run()
    assert not page.exception
    assert {metric.label: metric.value for metric in page.metric} == before
    assert "La base no responde desde" in web.words(page)
    assert page.button(key="run_now").disabled


def test_health_that_was_never_read_says_so_and_tries_again(away):
    said = web.words(web.open_page("health"))
    assert "la base no responde" in said
    assert "Se reintenta" in said


def test_pause_stops_the_refresh_and_says_so(full):
    page = web.open_page("health")
    assert "auto 12 s" in web.words(page)
    page.toggle(key="health_pause").set_value(True).run()
    assert "en pausa" in web.words(page)
    assert "auto 12 s" not in web.words(page)


@pytest.mark.parametrize("is_other", [False, True])
def test_tick_draws_all_anew_only_where_the_data_is_other_than_drawn(full, monkeypatch, is_other):
    page = web.open_page("health")
    drawn = page.session_state[view.DRAWN]
    draw, runs = view.show, []

    def draw_unless_tick() -> None:
        # a tick runs `watch` alone, so what was drawn before still stands
        runs.append(1)
        if len(runs) > 1:
            draw()

    monkeypatch.setattr(view, "show", draw_unless_tick)
    if is_other:
        page.session_state[view.DRAWN] = (drawn[0] - 1, drawn[1])
    page.run()
    assert len(runs) == (2 if is_other else 1)
    assert page.session_state[view.DRAWN] == drawn


def test_numbers_that_are_read_again_and_equal_are_not_drawn_again(full, monkeypatch):
    first = web.open_page("health").session_state[view.DRAWN]
    later = read.now() + timedelta(minutes=7)
    monkeypatch.setattr(read, "now", lambda: later)
    read.forget()
    assert web.open_page("health").session_state[view.DRAWN] == first
