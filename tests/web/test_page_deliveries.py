"""Notifications on the page of alerts: what was told, what no channel took, and what to do."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from scout_core.access.permissions import Actor
from scout_core.db.database import Database
from scout_core.notify import outbox
from tests.support import web
from tests.support.job import rows, value
from tests.support.receiver import SECRET, Receiver, receiving
from tests.support.telling import told, write
from ui.parts import read, who

DEAD = "update scout.deliveries set state = 'DEAD', ended_at = now(), last_outcome = 'TIMEOUT'"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def shown(db: Database, receiver: Receiver) -> Iterator[Database]:
    """The pages show a database with two messages: one delivered, one given up."""
    settings = told(receiver.url)
    write(db, settings)
    outbox.send_due(db, settings, datetime.now(UTC))
    write(db, settings)
    rows(db.url, f"{DEAD} where state = 'PENDING' returning 1")
    with web.on(db):
        read.use(db, settings)
        yield db


def press(page, label):
    return next(b for b in page.button if b.label == label).click().run()


def test_dead_letter_is_red_everywhere_until_it_is_retried(shown: Database, receiver: Receiver):
    page = web.open_page("alerts")
    said = web.words(page)
    assert said.count(":red-badge[:material/error: 1 aviso sin entregar]") == 2
    assert ":red-badge" in web.words(web.open_page("runs"))
    assert "Tardó demasiado" in said
    page = press(page, "Reintentar 1 aviso")
    said = web.words(page)
    assert "De nuevo en camino: 1. Entregados ahora: 1; no aceptados: 0." in said
    assert "aviso sin entregar" not in said
    assert "Todo entregado" in said
    assert len(receiver.got) == 2
    assert value(shown.url, "select count(*) from scout.deliveries where state = 'SENT'") == 2


def test_dead_letter_is_dropped(shown: Database):
    page = press(web.open_page("alerts"), "Descartar 1 aviso")
    assert "Descartados: 1." in web.words(page)
    states = "select state from scout.deliveries order by delivery_id"
    assert rows(shown.url, states) == [("SENT",), ("DROPPED",)]


def test_test_says_what_each_channel_made_of_it_and_no_address(shown: Database, receiver: Receiver):
    receiver.mood = "error"
    page = press(web.open_page("alerts", language="en"), "Send a test to each channel")
    said = web.words(page)
    assert "Refused (500)" in said
    assert SECRET not in said
    assert str(receiver.port) not in said


def test_who_may_not_has_no_buttons_and_nothing_to_call(
    shown: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    from ui.alerts import deliveries

    monkeypatch.setattr(who, "local", lambda: Actor("vera", "viewer"))
    page = web.open_page("alerts")
    assert not [b.label for b in page.button if "aviso" in b.label or "prueba" in b.label]
    assert "1 aviso sin entregar" in web.words(page)
    deliveries._act(deliveries._retry)
    assert value(shown.url, "select count(*) from scout.deliveries where state = 'DEAD'") == 1
    assert rows(shown.url, "select actor, action, via from scout.denials") == [
        ("vera", "notify", "page")
    ]


def test_without_a_channel_the_card_says_how_to_get_one(db: Database):
    with web.on(db):
        assert "Pon sus direcciones en SCOUT_NOTIFY_URLS" in web.words(web.open_page("alerts"))
