"""The owner's public tables may have other number types than the reference."""

import pytest

from tests.support.installing import init, run, value

TABLES = ("module_ct_scouting_daily", "module_ct_migrations", "module_ct_cabinet_payments")


@pytest.mark.parametrize("kind", ["smallint", "bigint", "numeric", "varchar"])
def test_scout_columns_of_another_type_are_read_the_same(source_db: str, kind: str) -> None:
    run(
        source_db,
        *(f"alter table public.{t} alter column scout_id type {kind}" for t in TABLES),
        "insert into public.module_ct_scouting_daily (scout_id, driver_license)"
        " values ('12', 'Q-1234567')",
        "insert into public.module_ct_migrations (scout_id) values ('-5')",
    )
    init(source_db)
    assert value(source_db, "select scout_id from scout.src_scouting_daily") == 12
    assert value(source_db, "select is_unreadable from scout.src_migrations") is True
