"""Run-now in the sidebar: refused beside another run, and not bound to the page that asked."""

import threading
import time

import pytest

from tests.support import web
from tests.support.job import OPERATOR, at_point, run_states, story, value
from tests.support.job import refresh as run_job
from ui.parts import read
from ui.shell import job


@pytest.fixture
def gate(monkeypatch):
    """Every run waits in the middle of its work until it is set."""
    opened = threading.Event()
    at_point(monkeypatch, "mid work", lambda: opened.wait(30), times=9)
    yield opened
    opened.set()


@pytest.fixture
def shown(db, db_url):
    """The pages show a small database."""
    story(db_url)
    with web.on(db):
        yield db
        wait_until(lambda: job.in_progress() is None)


def wait_until(holds, seconds=20):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def said(page):
    return [toast.value for toast in page.toast]


@pytest.fixture
def other(shown, db_url, gate):
    """A run of somebody else begins with the first start(), and ends with the gate."""
    thread = threading.Thread(target=run_job, args=(shown,))
    yield thread
    gate.set()
    if thread.ident:
        thread.join()


def test_run_asked_for_beside_another_is_refused_with_its_number(shown, db_url, gate, other):
    page = web.open_page("alerts")
    other.start()
    wait_until(lambda: run_states(db_url) == [("RUNNING", None)])
    page.button(key="run_now").click().run()
    heard = said(page)
    wait_until(lambda: job.in_progress() is None)
    heard += said(page.run())
    run_id = value(db_url, "select max(run_id) from scout.v_runs")
    assert f"La corrida {run_id} ya está en curso: no se inició otra." in heard
    busy = page.button(key="run_now")
    assert busy.disabled
    assert OPERATOR.name in busy.help
    gate.set()
    other.join()
    read.forget()
    assert not page.run().button(key="run_now").disabled
    assert run_states(db_url) == [("COMPLETED", None)]


def test_run_outlives_the_page_that_asked_for_it_and_the_next_page_shows_it(shown, db_url, gate):
    page = web.open_page("alerts")
    page.button(key="run_now").click().run()
    assert "Corrida pedida." in said(page)
    wait_until(lambda: run_states(db_url) == [("RUNNING", None)])
    del page
    read.forget()
    beside = web.open_page("backlog")
    assert beside.button(key="run_now").disabled
    assert "Paso " in web.words(beside)
    gate.set()
    wait_until(lambda: job.in_progress() is None)
    assert run_states(db_url) == [("COMPLETED", None)]
    beside.run()
    assert not beside.button(key="run_now").disabled
    assert "Completada" in web.words(beside)


def test_one_request_is_one_run_however_often_it_is_sent(shown, db_url, gate):
    first = job.start(OPERATOR, "web-twice", read.now())
    assert job.start(OPERATOR, "web-twice", read.now()) is first
    gate.set()
    wait_until(first.ended.is_set)
    assert first.result is not None
    assert job.start(OPERATOR, "web-twice", read.now()) is first
    assert len(run_states(db_url)) == 1
