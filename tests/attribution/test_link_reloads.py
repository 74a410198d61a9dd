"""Links that our runs made, as somebody else takes them away, brings them back or moves them."""

import pytest

from scout_core.db.database import LOOK, Database
from scout_core.decide import undo
from scout_core.runs import audit
from tests.support import factories as new
from tests.support.job import (
    OPERATOR,
    broken,
    do,
    key,
    refresh,
    rows,
    story,
    value,
    writing,
)

LINKS = "canon.identity_links"
EXTERNAL = (
    "select source_pk, action_type, person_key, ingestion_run_id"
    " from ops.identity_links_backfill_audit where match_method = 'EXTERNAL_CHANGE' order by id"
)
KEEP = f"create temp table keep on commit drop as select * from {LINKS}"
BACK = f"insert into {LINKS} select * from keep"
RELOADS = {
    "truncate and insert": [KEEP, f"truncate {LINKS}", BACK],
    "delete and insert": [KEEP, f"delete from {LINKS}", BACK],
    "every row to itself": [
        f"update {LINKS} set match_score = match_score, person_key = person_key"
    ],
    "moved and moved back": [
        KEEP,
        f"update {LINKS} set person_key = '{key('dora')}'",
        f"update {LINKS} as l set person_key = k.person_key from keep as k where k.id = l.id",
    ],
    "a savepoint that is rolled back": [f"savepoint s; delete from {LINKS}; rollback to s"],
}


def take_back(db: Database, run_id: int) -> undo.UndoResult:
    return undo.run_undo(db, actor=OPERATOR, run_id=run_id, reason="the file was loaded twice")


@pytest.mark.parametrize("way", RELOADS)
def test_a_reload_in_one_transaction_changes_nothing(db: Database, db_url: str, way: str) -> None:
    story(db_url)
    run_id = refresh(db).run_id
    do(db_url, *RELOADS[way])
    assert rows(db_url, EXTERNAL) == []
    refresh(db)
    assert broken(db) == {}
    assert take_back(db, run_id).changed_later == 0
    assert broken(db) == {}


def test_links_that_others_rebuild_without_ours_are_gone_and_made_again(
    db: Database, db_url: str
) -> None:
    story(db_url)
    with writing(db_url) as conn:
        new.driver(conn, person=key("dora"))
    refresh(db)
    do(
        db_url,
        f"create temp table keep on commit drop as select * from {LINKS} where run_id is null",
        f"truncate {LINKS}",
        BACK,
    )
    gone = rows(db_url, EXTERNAL)
    assert {row[1] for row in gone} == {"REVERTED"}
    assert {row[0] for row in gone} == {"1", "2", "3"}
    assert broken(db) == {}
    assert refresh(db).stats
    assert value(db_url, f"select count(*) from {LINKS} where run_id is not null") == 3
    assert broken(db) == {}


def test_two_transactions_take_links_away_and_bring_them_back(db: Database, db_url: str) -> None:
    story(db_url)
    run_id = refresh(db).run_id
    do(db_url, f"create table public.keep as select * from {LINKS}; truncate {LINKS}")
    assert broken(db) == {}
    do(db_url, f"insert into {LINKS} select * from public.keep")
    assert broken(db) == {}
    assert [row[1] for row in rows(db_url, EXTERNAL)] == ["REVERTED"] * 3 + ["CREATED"] * 3
    refresh(db)
    assert take_back(db, run_id).changed_later == 0
    assert broken(db) == {}


def test_a_link_taken_away_by_hand_is_made_again_and_its_undo_says_who(
    db: Database, db_url: str
) -> None:
    story(db_url)
    run_id = refresh(db).run_id
    do(db_url, f"delete from {LINKS} where source_pk = '1'")
    assert rows(db_url, EXTERNAL) == [("1", "REVERTED", key("beto"), None)]
    assert broken(db) == {}
    result = take_back(db, run_id)
    assert result.is_partial
    (later,) = [item for item in result.items if item.outcome == "CHANGED_LATER"]
    assert (later.later_method, later.later_run_id) == ("REVERTED", None)
    assert later.later_actor
    assert broken(db) == {}


def test_what_is_taken_away_by_hand_the_next_run_links_again(db: Database, db_url: str) -> None:
    story(db_url)
    refresh(db)
    do(db_url, f"delete from {LINKS} where source_pk = '1'")
    refresh(db)
    assert value(db_url, f"select person_key from {LINKS} where source_pk = '1'") == key("beto")
    assert broken(db) == {}


def test_a_link_pointed_to_somebody_else_is_theirs_from_then_on(db: Database, db_url: str) -> None:
    story(db_url)
    run_id = refresh(db).run_id
    do(db_url, f"update {LINKS} set person_key = '{key('dora')}' where source_pk = '1'")
    assert rows(db_url, EXTERNAL) == [
        ("1", "REVERTED", key("beto"), None),
        ("1", "CREATED", key("dora"), None),
    ]
    assert broken(db) == {}
    refresh(db)
    result = take_back(db, run_id)
    assert result.changed_later >= 1
    assert value(db_url, f"select person_key from {LINKS} where source_pk = '1'") == key("dora")
    assert broken(db) == {}
    with db.transaction(LOOK) as conn:
        page = audit.list_rows(conn, "links", audit.AuditFilters(method="EXTERNAL_CHANGE"))
    assert {row.action for row in page.rows} == {"REVERTED", "CREATED"}


def test_two_persons_who_are_merged(db: Database, db_url: str) -> None:
    story(db_url)
    refresh(db)
    old, one = key("beto"), key("ana")
    do(
        db_url,
        f"update observational.lead_events set person_key = '{one}' where person_key = '{old}'",
        f"update {LINKS} set person_key = '{one}' where person_key = '{old}'",
        f"delete from observational.lead_ledger where person_key = '{old}'",
        f"delete from canon.identity_registry where person_key = '{old}'",
    )
    assert broken(db) == {}
    refresh(db)
    assert broken(db) == {}


def test_links_of_others_leave_no_trace(db: Database, db_url: str) -> None:
    story(db_url)
    with writing(db_url) as conn:
        new.driver(conn, person=key("dora"))
    refresh(db)
    do(
        db_url,
        f"update {LINKS} set person_key = '{key('ana')}' where source_table = 'drivers'",
        f"delete from {LINKS} where source_table = 'drivers'",
    )
    assert rows(db_url, EXTERNAL) == []
