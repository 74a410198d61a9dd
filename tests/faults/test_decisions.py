"""Decisions, reviews and undos beside others who write the same rows in their own order: what a
person asked for gives way, the ingest is never the victim (C13)."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import Connection

from scout_core.access.permissions import Actor
from scout_core.attribution import fingerprint
from scout_core.db.database import LOOK, Database
from scout_core.decide import decisions, review, undo
from tests.support import factories as new
from tests.support.job import (
    OPERATOR,
    ROWS_ARE_WAITED_FOR,
    broken,
    do,
    key,
    refresh,
    rows,
    run_states,
    scouts,
    wait_until,
    writing,
)

ANALYST = Actor("luz", "analyst")
WHY = "called all of them, the first one registered them"
# longer than deadlock_timeout (1 s): who began to wait first has looked for a deadlock and not
# found it, so that it is found by who waits last
PAST_THE_LOOK = 1.15
NAMES = ("ana", "beto", "carla", "dora", "eva")
ORDERED = sorted((key(name) for name in NAMES), key=lambda person: person.bytes)
FIRST, *_, LAST = ORDERED


@pytest.fixture
def asked() -> Iterator[Callable[[Callable[[], object]], Future[object]]]:
    """Does something in the background, as a person who waits for the answer."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


def in_conflict(url: str, *, has_ledger_rows: bool) -> None:
    """Five persons of whom two scouts claim each."""
    with writing(url) as conn:
        for person in ORDERED:
            new.person(conn, key=person)
            new.lead_event(conn, person=person, scout=7)
            new.lead_event(conn, person=person, scout=9)
            if has_ledger_rows:
                new.ledger(conn, person=person)


def decide_all(db: Database) -> decisions.DecisionResult:
    with db.transaction(LOOK) as conn:
        seen = fingerprint.seen_of(conn, [str(person) for person in ORDERED])
    return decisions.decide_many(
        db,
        actor=ANALYST,
        persons=seen,
        outcome="ASSIGN",
        scout_id=9,
        reason_code="OTHER",
        note=WHY,
    )


def ingest(conn: Connection, person: UUID, *, is_new: bool) -> None:
    """The ledger row of a person as another process writes it."""
    if is_new:
        new.ledger(conn, person=person)
    else:
        conn.exec_driver_sql(
            f"update observational.lead_ledger set updated_at = now() where person_key = '{person}'"
        )


@pytest.mark.parametrize("is_new", [False, True], ids=["rows that are there", "new rows"])
def test_ingest_that_meets_a_bulk_decision_in_another_order_is_no_victim(
    db: Database,
    db_url: str,
    asked: Callable[[Callable[[], object]], Future[object]],
    is_new: bool,
) -> None:
    in_conflict(db_url, has_ledger_rows=not is_new)
    with writing(db_url) as other:
        ingest(other, LAST, is_new=is_new)
        answer = asked(lambda: decide_all(db))
        time.sleep(PAST_THE_LOOK)
        ingest(other, FIRST, is_new=is_new)
    told = answer.result(30)
    assert isinstance(told, decisions.DecisionResult)
    assert {row.person_key for row in told.decided} == {str(person) for person in ORDERED}
    assert scouts(db_url) == dict.fromkeys(ORDERED, 9)
    assert run_states(db_url) == [("COMPLETED", None)]
    assert broken(db) == {}


def test_ingest_that_meets_an_undo_in_another_order_is_no_victim(
    db: Database, db_url: str, asked: Callable[[Callable[[], object]], Future[object]]
) -> None:
    in_conflict(db_url, has_ledger_rows=True)
    run_id = decide_all(db).run_id
    with writing(db_url) as other:
        ingest(other, LAST, is_new=False)
        answer = asked(
            lambda: undo.run_undo(db, actor=OPERATOR, run_id=run_id, reason="loaded twice")
        )
        time.sleep(PAST_THE_LOOK)
        ingest(other, FIRST, is_new=False)
    told = answer.result(30)
    assert isinstance(told, undo.UndoResult)
    assert (told.undone, told.changed_later) == (3, 2)
    assert scouts(db_url) == dict.fromkeys(ORDERED) | {FIRST: 9, LAST: 9}
    assert broken(db) == {}


def test_ingest_that_meets_an_undo_of_links_in_another_order_is_no_victim(
    db: Database, db_url: str, asked: Callable[[Callable[[], object]], Future[object]]
) -> None:
    with writing(db_url) as conn:
        for number, person in enumerate(ORDERED):
            new.person(conn, key=person, license=f"Q100000{number}")
            new.scouting_row(conn, scout=7, license=f"Q100000{number}")
    run_id = refresh(db).run_id
    first, *_, last = rows(db_url, "select id from canon.identity_links order by ctid")
    touch = "update canon.identity_links set linked_at = linked_at where id = {}"
    with writing(db_url) as other:
        other.exec_driver_sql(touch.format(last[0]))
        answer = asked(
            lambda: undo.run_undo(db, actor=OPERATOR, run_id=run_id, reason="loaded twice")
        )
        time.sleep(PAST_THE_LOOK)
        other.exec_driver_sql(touch.format(first[0]))
    told = answer.result(30)
    assert isinstance(told, undo.UndoResult)
    assert told.links == len(ORDERED)
    assert rows(db_url, "select id from canon.identity_links") == []
    assert broken(db) == {}


def test_ingest_that_meets_a_review_in_another_order_is_no_victim(
    db: Database, db_url: str, asked: Callable[[Callable[[], object]], Future[object]]
) -> None:
    """The review has the person and wants the row, the ingest has the row and wants the person."""
    with writing(db_url) as conn:
        new.person(conn, key=FIRST, license="Q1234567")
        new.person(conn, key=LAST, license="Q1234567")
        pk = str(new.scouting_row(conn, scout=7, license="Q1234567"))
    refresh(db)
    with writing(db_url) as other:
        other.exec_driver_sql(
            f"update canon.identity_unmatched set created_at = created_at where source_pk = '{pk}'"
        )
        answer = asked(
            lambda: review.link(
                db, actor=ANALYST, source_pk=pk, person_key=str(FIRST), reason="he said so himself"
            )
        )
        time.sleep(PAST_THE_LOOK)
        other.exec_driver_sql(
            f"update canon.identity_registry set updated_at = now() where person_key = '{FIRST}'"
        )
    told = answer.result(30)
    assert isinstance(told, review.ReviewResult)
    assert rows(db_url, "select source_pk, person_key from canon.identity_links") == [(pk, FIRST)]
    assert broken(db) == {}


def test_founded_person_is_let_go_before_an_undo_waits_for_it(
    db: Database, db_url: str, asked: Callable[[Callable[[], object]], Future[object]]
) -> None:
    """The undo has taken the links and wants the person, the ingest the other way round."""
    with writing(db_url) as conn:
        new.scouting_row(conn, scout=7, license="nuevo-100")
    run_id = refresh(db).run_id
    ((link, person),) = rows(db_url, "select id, person_key from canon.identity_links")
    with writing(db_url) as other:
        other.exec_driver_sql(
            f"update canon.identity_registry set updated_at = now() where person_key = '{person}'"
        )
        answer = asked(
            lambda: undo.run_undo(db, actor=OPERATOR, run_id=run_id, reason="loaded twice")
        )
        wait_until(db_url, ROWS_ARE_WAITED_FOR)
        other.exec_driver_sql(
            f"update canon.identity_links set linked_at = linked_at where id = {link}"
        )
    told = answer.result(30)
    assert isinstance(told, undo.UndoResult)
    assert told.links == 1
    assert rows(db_url, "select id from canon.identity_links") == []
    assert broken(db) == {}


def test_ledger_rows_that_an_undo_leaves_are_let_go_before_it_waits_for_links(
    db: Database, db_url: str, asked: Callable[[Callable[[], object]], Future[object]]
) -> None:
    """Nothing of the persons could be undone, and they were locked to see that."""
    ana = key("ana")
    with writing(db_url) as conn:
        new.person(conn, key=ana, license="ANA100")
        new.lead_event(conn, person=ana, scout=7)
        new.scouting_row(conn, scout=7, license="ana-100")
    run_id = refresh(db).run_id
    touch = "update observational.lead_ledger set {} where person_key = '" + str(ana) + "'"
    do(db_url, touch.format("attributed_scout_id = 9"))
    ((link,),) = rows(db_url, "select id from canon.identity_links")
    with writing(db_url) as other:
        other.exec_driver_sql(
            f"update canon.identity_links set linked_at = linked_at where id = {link}"
        )
        answer = asked(
            lambda: undo.run_undo(db, actor=OPERATOR, run_id=run_id, reason="loaded twice")
        )
        wait_until(db_url, ROWS_ARE_WAITED_FOR)
        other.exec_driver_sql(touch.format("updated_at = now()"))
    told = answer.result(30)
    assert isinstance(told, undo.UndoResult)
    assert (told.links, told.changed_later) == (1, 1)
    assert broken(db) == {}


def test_decision_does_not_wait_for_an_index_that_is_built_on_the_persons(
    db: Database, db_url: str
) -> None:
    in_conflict(db_url, has_ledger_rows=False)
    with writing(db_url) as owner:
        owner.exec_driver_sql("lock table canon.identity_registry in share mode")
        assert len(decide_all(db).decided) == len(ORDERED)
