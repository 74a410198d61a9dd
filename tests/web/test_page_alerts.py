"""The page of alerts: what stands, where it leads, and what people say about it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from scout_core.access.permissions import Actor
from scout_core.alerts import acts
from scout_core.db.database import Database
from tests.support import web
from tests.support.looking import refreshed_demo, rows, value
from ui.parts import read, who

REASON = "the supervisor has the list"
STANDING = "from scout.alerts where status <> 'RESOLVED'"


@pytest.fixture(scope="module")
def own(server_url: str) -> Iterator[Database]:
    """Demo data after a run, of which alerts are acknowledged and muted."""
    with refreshed_demo(server_url) as database:
        yield database


@pytest.fixture
def acted(own: Database) -> Iterator[Database]:
    """Pages read it and write it."""
    with web.on(own):
        yield own


def table(page, column: str):
    return next(d.value for d in page.dataframe if column in d.value)


def test_numbers_by_reason_are_those_of_the_alerts_and_open_them(full):
    page = web.open_page("alerts")
    counts = rows(full, f"select rule, count(*) {STANDING} group by rule")
    shown = table(page, "next")
    assert sorted(int(n.replace(",", "")) for n in shown["open"]) == sorted(n for _, n in counts)
    assert f"{sum(n for _, n in counts):,} alertas vigentes" in web.words(page)
    assert len(counts) > 4
    for rule, count in counts[::2]:
        listed = web.open_page("alerts", rule=rule)
        assert not listed.exception
        assert f"de {count:,} filas" in web.words(listed)


def test_every_filter_of_the_address_is_the_list_that_it_names(full):
    for given in ({"status": "RESOLVED"}, {"status": "MUTED"}, {"status": "ACKNOWLEDGED"}):
        page = web.open_page("alerts", **given)
        assert not page.exception
    page = web.open_page("alerts", severity="FAIL", status="OPEN")
    assert "Quitar filtros" in web.words(page)
    for rule in ("<script>'; drop", "x" * 300):
        assert not web.open_page("alerts", rule=rule, alert="99999999999999999999").exception


@pytest.mark.parametrize(
    ("rule", "leads"),
    [
        ("NEW_CONFLICT", "Decidir el conflicto"),
        ("UNREADABLE_SCOUT", "observational"),
        ("IDENTITY_TO_REVIEW", "Revisar la fila"),
        ("CABINET_LEAD_WITHOUT_SCOUT", "public"),
    ],
)
def test_alert_leads_to_what_it_tells_of(full, rule, leads):
    number = value(full, f"select min(alert_id) {STANDING} and rule = '{rule}'")
    page = web.open_page("alerts", alert=str(number))
    said = web.words(page)
    assert leads in said
    assert "Se abrió" in said
    assert "por sí sola" in said
    phones = {row[0] for row in rows(full, "select primary_phone from canon.identity_registry")}
    assert not [phone for phone in phones if phone and phone in said]


def act(page, number: int, choice: str, reason: str, several: int = 1):
    place = f"alerts_{number}_{several}"
    radio = next(r for r in page.radio if r.key.startswith(f"{place}_act"))
    radio.set_value(choice).run()
    page.text_area(key=f"{place}_reason").set_value(reason)
    return page.button(key=f"{place}_do").click().run()


def test_alert_is_acknowledged_muted_and_open_again_from_the_page(acted):
    number = value(acted, f"select min(alert_id) {STANDING} and rule = 'UNREADABLE_SCOUT'")
    page = act(web.open_page("alerts", alert=str(number)), number, "ack", "short")
    assert "Escribe una razón de 10" in web.words(page)
    page = act(page, number, "ack", REASON)
    assert "Alerta reconocida." in web.words(page)
    page = act(page, number, "mute", REASON)
    assert "Silenciada hasta" in web.words(page)
    mutes = web.open_page("alerts", status="MUTED")
    assert list(table(mutes, "muted_since")["reason"]) == [REASON]
    page = act(web.open_page("alerts", alert=str(number)), number, "unmute", REASON)
    assert "La alerta está abierta otra vez." in web.words(page)
    events = rows(acted, f"select event from scout.alert_events where alert_id = {number}")
    assert sorted(events) == [("ACKNOWLEDGED",), ("MUTED",), ("OPENED",), ("UNMUTED",)]


def test_somebody_who_was_faster_is_told_of(acted):
    number = value(acted, f"select min(alert_id) {STANDING} and rule = 'SIMILAR_KEY'")
    page = web.open_page("alerts", alert=str(number))
    acts.ack(
        acted,
        actor=Actor("other", "operator"),
        alert_id=number,
        reason=REASON,
        now=datetime.now(UTC) - timedelta(seconds=1),
    )
    page = act(page, number, "ack", REASON)
    assert "was acknowledged by other" in web.words(page)


def test_viewer_sees_all_of_it_and_can_do_nothing(full, monkeypatch):
    monkeypatch.setattr(who, "visitor", lambda: Actor("v", "viewer"))
    number = value(full, f"select min(alert_id) {STANDING}")
    page = web.open_page("alerts", alert=str(number))
    said = web.words(page)
    assert "es de analistas y operadores" in said
    assert "Historia" in said
    assert not [b for b in page.button if b.key.endswith("_do")]


def test_before_the_first_look_the_page_says_so(empty):
    said = web.words(web.open_page("alerts"))
    assert "Todavía nadie ha mirado." in said
    assert not web.open_page("alerts", rule="SIMILAR_KEY", language="en").exception


def test_database_that_went_away_leaves_the_last_alerts_with_their_time(own):
    with web.on(own):
        page = web.open_page("alerts")
        web.cut_off()
        said = web.words(page.run())
        assert "alertas vigentes" in said
        assert read.away_since() is not None
