"""What rows are reloaded, erased, mended and linked by hand: whom each link is evidence of."""

from collections.abc import Iterator

import pytest

from scout_core.access.permissions import Actor
from scout_core.db.database import LOOK, Database
from scout_core.decide import erasure, review, undo
from scout_core.errors import Refused
from tests.support import databases, world
from tests.support.job import OPERATOR, broken_at_all, do, refresh, rows, value

SCOUTING = "public.module_ct_scouting_daily"
RELOADED = (
    f"create temp table keep as select * from {SCOUTING}",
    f"truncate {SCOUTING} restart identity",
    f"insert into {SCOUTING} (scout_id, driver_name, driver_phone, driver_license,"
    " registration_date, created_at) select scout_id, driver_name, driver_phone, driver_license,"
    " registration_date, created_at from keep order by registration_date desc",
)

OF_PERSON_5 = (
    f"update {SCOUTING} set driver_phone = '900111005', driver_license = 'Q70000005' where id = 4"
)
WHY = "loaded by mistake"


@pytest.fixture
def db_url(server_url: str) -> Iterator[str]:
    with databases.clone(server_url, world.first_run(server_url)) as url:
        yield url


def person(n: int) -> str:
    return f"00000000-0000-0000-0000-00000000000{n}"


def evidence(url: str) -> dict[int, list[int]]:
    """The scouts that scouting rows name, by the number of the person."""
    found = rows(
        url,
        "select right(person_key::text, 1)::int, array_agg(scout_id order by scout_id)"
        " from ops.v_scout_attribution_raw where person_key is not null"
        f" and source_table = '{SCOUTING}' group by 1",
    )
    return dict(found)


def test_links_of_who_was_erased_are_still_of_what_their_rows_said(
    db: Database, db_url: str
) -> None:
    erasure.erase(db, actor=Actor("root", "admin"), person_key=person(4), reason=WHY)
    assert evidence(db_url) == {1: [11], 2: [12], 3: [13], 4: [14]}
    do(db_url, *RELOADED)
    # four rows backwards: row 4 is of person 1 now
    assert 14 not in evidence(db_url).get(1, [])
    refresh(db)
    assert evidence(db_url) == {1: [11], 2: [12], 3: [13], 4: [14]}
    assert broken_at_all(db) == {}


def test_what_rows_say_is_kept_as_a_hash_that_nobody_can_guess(db: Database, db_url: str) -> None:
    guessed = (
        "select count(*) from scout.linked_rows where content in"
        " (md5('Q70000004|900111004')::uuid, scout.content_of_keys('Q70000004', '900111004',"
        " '00000000-0000-0000-0000-000000000000'))"
    )
    assert value(db_url, guessed) == 0
    may = "select has_table_privilege('scout_{}', 'scout.content_key', 'select')"
    assert value(db_url, may.format("writer")) is True
    assert value(db_url, may.format("reader")) is False
    assert value(db_url, "select count(distinct secret) from scout.content_key") == 1


def test_undo_holds_what_was_linked_whatever_row_has_the_number_by_now(
    db: Database, db_url: str
) -> None:
    do(db_url, OF_PERSON_5)
    undo.run_undo(db, actor=OPERATOR, run_id=1, reason=WHY)
    refresh(db)
    # row 4 is of another driver, whom nobody said anything about; its neighbours stay held
    assert evidence(db_url) == {5: [14]}
    do(db_url, OF_PERSON_5.replace("005", "004").replace("Q70000005", "Q70000004"))
    refresh(db)
    assert evidence(db_url) == {}
    assert broken_at_all(db) == {}


def test_rows_with_the_same_number_are_not_reviewed_and_said_to_be(
    db: Database, db_url: str
) -> None:
    do(
        db_url,
        f"alter table {SCOUTING} drop constraint module_ct_scouting_daily_pkey cascade",
        f"insert into {SCOUTING} (id, scout_id, driver_license, registration_date)"
        " values (4, 11, 'Q70000009', '2025-03-09'), (4, 12, 'Q70000008', '2025-03-08')",
    )
    luz = Actor("luz", "analyst")
    with db.transaction(LOOK) as conn:
        assert review.by_row(conn, "3").person_key == person(3)
        with pytest.raises(Refused, match="3 scouting rows have the number 4"):
            review.by_row(conn, "4")
    for act in (review.link, review.move):
        with pytest.raises(Refused, match="REPEATED_ID"):
            act(db, actor=luz, source_pk="4", person_key=person(5), reason=WHY)
    for of_row in (review.create, review.dismiss):
        with pytest.raises(Refused, match="REPEATED_ID"):
            of_row(db, actor=luz, source_pk="4", reason=WHY)


def waiting(url: str) -> list[tuple[str, str]]:
    return rows(
        url,
        "select source_pk, reason_code from canon.identity_unmatched where status = 'OPEN'"
        " order by 1",
    )


def test_link_that_somebody_pointed_anew_is_of_what_its_row_says_then(
    db: Database, db_url: str
) -> None:
    do(
        db_url,
        f"update {SCOUTING} set driver_phone = '90011101' || id,"
        " driver_license = 'Q7000001' || id where id in (3, 4)",
    )
    refresh(db)
    assert waiting(db_url) == [("3", "KEYS_MOVED"), ("4", "KEYS_MOVED")]
    do(
        db_url,
        f"update canon.identity_links set person_key = '{person(5)}'"
        " where source_table = 'module_ct_scouting_daily' and source_pk = '4'",
    )
    assert evidence(db_url) == {1: [11], 2: [12], 5: [14]}
    refresh(db)
    assert evidence(db_url)[5] == [14]
    assert "4" not in [pk for pk, _ in waiting(db_url)]
    assert broken_at_all(db) == {}


@pytest.mark.parametrize("how", ["at once", "one after the other"])
def test_links_that_move_along_with_their_rows_stay_evidence(
    db: Database, db_url: str, how: str
) -> None:
    swap = [
        f"update {SCOUTING} set id = 90 where id = 1",
        f"update {SCOUTING} set id = 1 where id = 2",
        f"update {SCOUTING} set id = 2 where id = 90",
    ]
    moved = [
        "create temp table kept as select * from canon.identity_links"
        " where source_table = 'module_ct_scouting_daily' and source_pk in ('1', '2')",
        "delete from canon.identity_links where id in (select id from kept)",
        "insert into canon.identity_links select * from (select (jsonb_populate_record(k,"
        " jsonb_build_object('source_pk', 3 - k.source_pk::int))).* from kept as k) as m",
    ]
    if how == "at once":
        do(db_url, *swap, *moved)
    else:
        do(db_url, *swap)
        do(db_url, *moved)
    assert evidence(db_url) == {1: [11], 2: [12], 3: [13], 4: [14]}
    assert refresh(db).stats["steps"]["link"]["changed"] == 0
    assert evidence(db_url) == {1: [11], 2: [12], 3: [13], 4: [14]}


def test_links_put_back_after_a_reload_are_of_what_they_were(db: Database, db_url: str) -> None:
    ours = "source_table = 'module_ct_scouting_daily'"
    do(
        db_url,
        f"create table public.kept as select * from canon.identity_links where {ours}",
        f"delete from canon.identity_links where {ours}",
    )
    do(db_url, *RELOADED)
    do(db_url, "insert into canon.identity_links select * from public.kept")
    assert evidence(db_url) == {}
    refresh(db)
    assert evidence(db_url) == {1: [11], 2: [12], 3: [13], 4: [14]}


def test_row_set_aside_with_sql_is_what_it_said_then_though_no_run_came_between(
    db: Database, db_url: str
) -> None:
    add = f"insert into {SCOUTING} (id, scout_id, driver_license) values "
    do(db_url, add + "(5, 11, null), (6, 12, null)")
    refresh(db)
    assert [pk for pk, _ in waiting(db_url)] == ["5", "6"]
    do(
        db_url,
        "update canon.identity_unmatched set status = 'IGNORED' where source_pk in ('5', '6')",
    )
    do(db_url, f"delete from {SCOUTING} where id = 5", add + "(5, 11, 'Q70000005')")
    refresh(db)
    assert evidence(db_url)[5] == [11]
    # its neighbour is the same row, and stays set aside
    assert waiting(db_url) == []
    assert broken_at_all(db) == {}
