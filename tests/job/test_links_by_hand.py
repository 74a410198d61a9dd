"""What rows are reloaded, erased, mended and linked by hand: whom each link is evidence of."""

from collections.abc import Iterator

import pytest

from scout_core.access.permissions import Actor
from scout_core.db.database import Database
from scout_core.decide import erasure
from tests.support import databases, world
from tests.support.job import broken_at_all, do, refresh, rows, value

SCOUTING = "public.module_ct_scouting_daily"
RELOADED = (
    f"create temp table keep as select * from {SCOUTING}",
    f"truncate {SCOUTING} restart identity",
    f"insert into {SCOUTING} (scout_id, driver_name, driver_phone, driver_license,"
    " registration_date, created_at) select scout_id, driver_name, driver_phone, driver_license,"
    " registration_date, created_at from keep order by registration_date desc",
)


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
    erasure.erase(
        db, actor=Actor("root", "admin"), person_key=person(4), reason="letter 14 of the person"
    )
    assert evidence(db_url) == {1: [11], 2: [12], 3: [13], 4: [14]}
    do(db_url, *RELOADED)
    # four rows backwards: row 4 is of person 1 now
    assert 14 not in evidence(db_url).get(1, []) and evidence(db_url).get(4) in (None, [14])
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
