"""Views follow the SQL tree; nothing that is not ours is ever lost on the way."""

from pathlib import Path

import pytest
from sqlalchemy import text

from scout_core.errors import ForeignObject, InstallError
from tests.support import catalog
from tests.support.installing import (
    ROLES,
    column,
    connection,
    init,
    run,
    sql_tree,
    value,
    view_file,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return sql_tree(tmp_path)


def definitions(url: str) -> dict[str, str]:
    with connection(url) as conn:
        return catalog.definitions(conn)


def test_a_changed_view_is_replaced_and_keeps_its_identity(db_url: str, tree: Path) -> None:
    view_file(tree, "v_extra", "1 as n")
    init(db_url, tree)
    oid = value(db_url, "select 'ops.v_extra'::regclass::oid")
    view_file(tree, "v_extra", "2 as n, 3 as m", "One row, wider.")
    init(db_url, tree)
    assert value(db_url, "select n + m from ops.v_extra", role="scout_reader") == 5
    assert value(db_url, "select 'ops.v_extra'::regclass::oid") == oid
    assert value(db_url, "select obj_description('ops.v_extra'::regclass)") == "One row, wider."


def test_another_shape_keeps_the_grants_of_the_view_and_of_ours_upon_it(
    db_url: str, tree: Path
) -> None:
    view_file(tree, "v_extra", "1 as n, 2 as m, 3 as gone")
    view_file(tree, "v_upon", "n from ops.v_extra")
    init(db_url, tree)
    run(
        db_url,
        "grant select on ops.v_extra to public",
        "grant select on ops.v_upon to pg_monitor with grant option",
        "grant update (m) on ops.v_extra to pg_monitor",
        "grant update (gone) on ops.v_extra to pg_monitor",
    )
    view_file(tree, "v_extra", "'text' as n, 2 as m")
    report = init(db_url, tree)
    assert "View ops.v_extra has another shape now." in report.done
    assert any("the column is gone" in line for line in report.done)
    assert value(db_url, "select n from ops.v_upon", role="scout_reader") == "text"
    for held in (
        "has_table_privilege('public', 'ops.v_extra', 'select')",
        "has_table_privilege('pg_monitor', 'ops.v_upon', 'select with grant option')",
        "has_column_privilege('pg_monitor', 'ops.v_extra', 'm', 'update')",
    ):
        assert value(db_url, f"select {held}"), held
    assert init(db_url, tree).is_nothing


def test_a_view_of_all_columns_of_another_has_the_new_ones_too(db_url: str, tree: Path) -> None:
    view_file(tree, "v_extra", "1 as n")
    view_file(tree, "v_upon", "e.* from ops.v_extra as e")
    view_file(tree, "v_upon_that", "u.* from ops.v_upon as u")
    init(db_url, tree)
    view_file(tree, "v_extra", "1 as n, 'more' as m")
    init(db_url, tree)
    assert value(db_url, "select m from ops.v_upon_that") == "more"
    assert init(db_url, tree).is_nothing


def test_a_foreign_view_on_ours_stops_another_shape_and_nothing_changes(
    db_url: str, tree: Path
) -> None:
    view_file(tree, "v_extra", "1 as n")
    init(db_url, tree)
    run(db_url, "create view public.theirs as select n from ops.v_extra")
    before = definitions(db_url)
    view_file(tree, "v_extra", "'text' as n")
    with pytest.raises(ForeignObject, match=r"ops\.v_extra.*public\.theirs"):
        init(db_url, tree)
    assert catalog.difference(before, definitions(db_url)) == {}


def test_a_foreign_view_on_ours_does_not_stop_a_change_of_the_same_shape(
    db_url: str, tree: Path
) -> None:
    view_file(tree, "v_extra", "1 as n")
    init(db_url, tree)
    run(db_url, "create view public.theirs as select n from ops.v_extra")
    view_file(tree, "v_extra", "2 as n")
    init(db_url, tree)
    assert value(db_url, "select n from public.theirs") == 2


def test_a_view_that_is_no_longer_part_of_the_product_goes(db_url: str, tree: Path) -> None:
    path = view_file(tree, "v_extra", "1 as n")
    init(db_url, tree)
    path.unlink()
    init(db_url, tree)
    assert value(db_url, "select to_regclass('ops.v_extra')") is None
    assert init(db_url, tree).is_nothing


@pytest.mark.parametrize(
    "damage",
    [
        "drop view ops.v_extra",
        "create or replace view ops.v_extra as select 7 as n",
        "drop view ops.v_extra; create view ops.v_extra as select 'text' as n",
    ],
)
def test_a_view_dropped_or_changed_by_hand_is_put_right(
    db_url: str, tree: Path, damage: str
) -> None:
    view_file(tree, "v_extra", "1 as n")
    init(db_url, tree)
    before = definitions(db_url)
    run(db_url, damage)
    init(db_url, tree)
    assert catalog.difference(before, definitions(db_url)) == {}


def test_a_view_that_is_refused_changes_no_view(db_url: str, tree: Path) -> None:
    view_file(tree, "v_a_good", "1 as n")
    view_file(tree, "v_z_bad", "n from ops.v_a_good where nothing = 1")
    with pytest.raises(InstallError, match=r"ops\.v_z_bad was refused"):
        init(db_url, tree)
    assert value(db_url, "select to_regclass('ops.v_a_good')") is None


def test_views_in_a_circle_are_refused(db_url: str, tree: Path) -> None:
    view_file(tree, "v_one", "n from ops.v_two")
    view_file(tree, "v_two", "n from ops.v_one")
    with pytest.raises(InstallError, match="in a circle"):
        init(db_url, tree)


def test_views_of_the_replaced_system_are_taken_over_and_their_owner_keeps_reading(
    source_db: str,
) -> None:
    with connection(source_db) as conn:
        conn.exec_driver_sql("create role test_former_owner nologin")
    try:
        run(
            source_db,
            "grant usage, create on schema ops to test_former_owner",
            "set local role test_former_owner",
            "create view ops.v_scout_attribution as select 'old' as other_shape, 1 as person_key",
            "create view ops.v_scout_attribution_conflicts as"
            " select other_shape from ops.v_scout_attribution",
        )
        init(source_db)
        owner = "select pg_get_userbyid(relowner)::text from pg_class where oid = "
        for view in ("ops.v_scout_attribution", "ops.v_scout_attribution_conflicts"):
            assert value(source_db, f"{owner} '{view}'::regclass") == "scout_owner"
            assert value(
                source_db, f"select has_table_privilege('test_former_owner', '{view}', 'select')"
            )
        assert init(source_db).is_nothing
    finally:
        run(source_db, "drop owned by test_former_owner cascade", "drop role test_former_owner")


def test_a_foreign_view_on_one_of_the_replaced_system_is_not_dropped(source_db: str) -> None:
    run(
        source_db,
        "create view ops.v_scout_attribution as select 'old' as other_shape",
        "create view ops.theirs as select other_shape from ops.v_scout_attribution",
    )
    with pytest.raises(ForeignObject, match=r"ops\.theirs"):
        init(source_db)
    assert value(source_db, "select other_shape from ops.theirs") == "old"


def test_a_table_in_the_place_of_a_view_stops_before_anything_is_made(source_db: str) -> None:
    run(source_db, "create table ops.v_scout_attribution (n integer)")
    before = definitions(source_db)
    with pytest.raises(ForeignObject, match=r"ops\.v_scout_attribution exists already"):
        init(source_db)
    assert catalog.difference(before, definitions(source_db)) == {}


def test_a_schema_scout_of_somebody_else_is_left_alone(source_db: str) -> None:
    run(source_db, "create schema scout", "create table scout.theirs (n integer)")
    with pytest.raises(ForeignObject, match="Schema scout exists already"):
        init(source_db)
    assert column(
        source_db, "select relname::text from pg_class where relnamespace = 'scout'::regnamespace"
    ) == ["theirs"]


def test_nobody_of_ours_owns_a_foreign_relation(db_url: str) -> None:
    foreign = column(
        db_url,
        "select c.oid::regclass::text from pg_class as c where c.relkind in ('r', 'v')"
        f" and pg_get_userbyid(c.relowner)::text = any(array{list(ROLES)!r})"
        " and c.relnamespace::regnamespace::text in ('canon', 'observational', 'public')",
    )
    assert foreign == []


def test_a_dump_gives_every_view_back_in_the_same_words(db_url: str) -> None:
    """Else it would differ from its file after each restore."""
    listed = (
        "select c.oid::regclass::text as name, pg_get_viewdef(c.oid) as body from pg_class as c"
        " inner join pg_namespace as n on n.oid = c.relnamespace"
        " where c.relkind = 'v' and n.nspname in ('scout', 'ops')"
    )
    again = {}
    with connection(db_url) as conn:
        conn.exec_driver_sql("set local search_path = ''")
        before = {row.name: row.body for row in conn.execute(text(listed))}
        for name, body in before.items():
            conn.exec_driver_sql(f"create view public.again as {body}")
            asked = text("select pg_get_viewdef('public.again'::regclass)")
            again[name] = conn.execute(asked).scalar()
            conn.exec_driver_sql("drop view public.again")
    assert len(before) > 50
    assert [name for name, body in before.items() if again[name] != body] == []
