"""Reads of the pages: cached, the last good value when the database is away, never for long."""

import threading
import time

import pytest

from scout_core.db.database import Database
from scout_core.errors import DatabaseAway, DatabaseError
from scout_core.settings import load
from tests.support.web import NOWHERE, cut_off
from ui.parts import read


@pytest.fixture
def pages(db):
    read.use(db, load({}, dotenv=None))
    yield db
    read.use(None)


class Counted:
    """A reader that says how often it was asked; hashable by identity."""

    def __init__(self, sql="select 7"):
        self.sql, self.times, self.lock = sql, 0, threading.Lock()

    def __call__(self, conn, *_args):
        with self.lock:
            self.times += 1
        return conn.exec_driver_sql(self.sql).scalar_one()


def test_value_is_read_once_for_many_visitors(pages):
    reader, answers = Counted("select 7 from pg_sleep(0.2)"), []
    threads = [
        threading.Thread(target=lambda: answers.append(read.one(reader).value)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [7] * 8
    assert reader.times == 1


def test_version_stays_while_the_value_is_equal_and_forget_asks_anew(pages):
    reader = Counted()
    first = read.one(reader)
    read.forget()
    again = read.one(reader)
    assert reader.times == 2
    assert again.version == first.version
    reader.sql = "select 8"
    read.forget()
    changed = read.one(reader)
    assert (changed.value, changed.version == first.version) == (8, False)


def test_readers_of_one_answer_share_a_snapshot(pages):
    one, two = read.many(
        read.call(Counted("select txid_current_snapshot()::text")),
        read.call(Counted("select txid_current_snapshot()::text")),
    ).value
    assert one == two


def test_reads_cannot_write(pages):
    with pytest.raises(Exception, match="read-only"):
        read.one(Counted("create table public.x (y int)"))


def test_last_good_value_is_given_with_its_time_when_the_database_goes_away(pages):
    reader = Counted()
    good = read.one(reader)
    cut_off()
    late = read.one(reader)
    assert (late.value, late.at, late.version) == (7, good.at, good.version)
    assert late.is_late
    read.use(pages, load({}, dotenv=None))
    assert not read.one(reader).is_late


def test_database_away_without_a_last_value_is_said(pages):
    read.use(Database(NOWHERE), load({}, dotenv=None))
    with pytest.raises(DatabaseAway):
        read.one(Counted())


def test_database_that_hangs_is_waited_for_no_longer_than_the_limit(pages):
    reader = Counted("select 7 from pg_sleep(2)")
    start = time.monotonic()
    assert read.WAIT < 10
    with pytest.raises(DatabaseAway):
        read.guarded(reader, wait=0.3)
    assert time.monotonic() - start < 1.5


def test_reading_that_the_database_refuses_is_null_where_the_page_can_do_without(pages):
    assert read.seldom(read.call(Counted("select 1/0"))) is None
    with pytest.raises(DatabaseError):
        read.many(read.call(Counted("select 1/0")))


def test_time_is_filled_in_when_the_reader_runs(pages):
    def ask(conn, when):
        return when

    first = read.one(ask, read.NOW)
    assert abs((first.value - read.now()).total_seconds()) < 5
    assert read.one(ask, read.NOW) is first
