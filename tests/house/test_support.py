"""The tests' own tools do what the other tests rely on."""

import os
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import NullPool, create_engine, text

from tests.support import databases, factories

if TYPE_CHECKING:
    from scout_core.db.database import Database


def test_empty_database_is_empty_and_can_be_written(empty_db: str) -> None:
    engine = create_engine(empty_db, poolclass=NullPool)
    with engine.begin() as conn:
        conn.execute(text("create table t ()"))
        tables = "select count(*) from pg_tables where schemaname = 'public'"
        assert conn.execute(text(tables)).scalar_one() == 1


@pytest.mark.parametrize("round_", [1, 2])
def test_each_test_starts_from_the_untouched_source_schema(source_db: str, round_: int) -> None:
    engine = create_engine(source_db, poolclass=NullPool)
    with engine.begin() as conn:
        assert conn.execute(text("select count(*) from canon.identity_registry")).scalar_one() == 0
        factories.person(conn)


def test_factories_fill_every_source(source_db: str) -> None:
    engine = create_engine(source_db, poolclass=NullPool)
    with engine.begin() as conn:
        ana = factories.person(conn, license="Q12345678", phone="999888777")
        key = factories.driver(conn, license="Q12345678", person=ana)
        factories.ledger(conn, person=ana, scout=7)
        factories.lead_event(conn, person=ana, scout=7, payload={"scout_id": "7"})
        factories.lead_event(conn, payload_text='{"scout_id": 1e400}')
        factories.scouting_row(conn, scout=7, phone="999888777")
        factories.migration(conn, scout=7, driver=key)
        factories.payment(conn, scout=7, person=ana)
        factories.cabinet_lead(conn)
        factories.scout_listed(conn, 7, name="Rosa")
        factories.claim(conn, person=ana, milestone=5)
        claims = text("select milestone_value from ops.v_yango_cabinet_claims_for_collection")
        assert conn.execute(claims).scalars().all() == [5]
        linked = text("select source_table, source_pk from canon.identity_links")
        assert conn.execute(linked).all() == [("drivers", key)]


def test_database_is_dropped_after_its_test_even_while_in_use(server_url: str) -> None:
    with databases.clone(server_url, "template0") as url:
        engine = create_engine(url)
        held = engine.connect()
        name = held.execute(text("select current_database()")).scalar_one()
    admin = create_engine(server_url, poolclass=NullPool)
    with admin.connect() as conn:
        left = text("select count(*) from pg_database where datname = :name")
        assert conn.execute(left, {"name": name}).scalar_one() == 0
    held.invalidate()
    held.close()
    engine.dispose()


def test_no_setting_of_the_developer_reaches_a_test() -> None:
    assert [name for name in os.environ if name.startswith(("SCOUT_", "DATABASE_URL"))] == []


def test_installed_database_is_a_clone_that_the_product_opens(db: "Database") -> None:
    from scout_core.db.database import ADMIN

    with db.transaction(ADMIN) as conn:
        assert conn.execute(text("select count(*) from scout.schema_files")).scalar_one() > 0
        factories.person(conn)
