"""Whoever writes into a source may look up no name of ours, and our indexes go on."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import ProgrammingError

from scout_core.install.tree import SQL_ROOT
from tests.support import databases, world
from tests.support.installing import init
from tests.support.job import do, value, writing

SCOUTING = "public.module_ct_scouting_daily"
# a value of each type that a loader may have given a column, and some that no loader gives
TYPES = {
    "smallint": "12",
    "integer": "900111001",
    "bigint": "900111001",
    "numeric": "900111001.000000000",
    "numeric(38,9)": "70000001",
    "real": "1234567",
    "double precision": "900111001",
    "date": "'2025-03-01'",
    "timestamp": "'2025-03-01 10:00'",
    "timestamptz": "'2025-03-01 10:00-05'",
    "boolean": "true",
    "text": "'2025-03-01T10:00:00-05:00'",
    "varchar(40)": "'2025-03-01 10:00'",
    "char(10)": "'2025-03-01'",
    "name": "'Q70000001'",
    "uuid": "'00000000-0000-0000-0000-000000000001'",
    "json": "'{}'",
    "jsonb": "'1'",
    "inet": "'10.0.0.1'",
    "interval": "'1 day'",
    "money": "12",
    "public.odd": "'2025-03-01'",
    "public.short": "'900111001'",
    "text[]": "'{a}'",
}

STABLE = {"date", "timestamp", "timestamptz", "money", "public.odd"}


@pytest.fixture
def writer(server_url: str) -> Iterator[str]:
    """A role without any right."""
    do(server_url, "create role test_index_writer nologin")
    yield "test_index_writer"
    do(server_url, "drop role test_index_writer")


def expressions() -> Iterator[str]:
    """What our indexes compute of the owner's columns."""
    for wanted in (SQL_ROOT / "install/indexes.sql").read_text(encoding="utf-8").split(";\n"):
        found = re.search(r"concurrently \w+ on \S+ \((.*scout\..*)\)$", wanted.strip(), re.DOTALL)
        if found:
            yield found[1]


def takes_index(url: str, statement: str) -> bool:
    """Whether the index can be made: text of such a type is the same in every session."""
    try:
        do(url, statement)
    except ProgrammingError as refused:
        if "must be marked IMMUTABLE" in str(refused):
            return False
        raise
    return True


def test_every_index_takes_every_type_of_a_writer_without_rights(db_url: str, writer: str) -> None:
    made = 0
    do(
        db_url,
        "create type public.odd as enum ('2025-03-01')",
        "create domain public.short as varchar(20)",
    )
    indexed = list(expressions())
    assert len(indexed) == 8
    for number, (kind, given) in enumerate(TYPES.items()):
        for which, expression in enumerate(indexed):
            columns = set(re.findall(r"read_\w+\((\w+)\)", expression))
            place = f"public.odd_{number}_{which}"
            listed = ", ".join(f"{column} {kind}" for column in sorted(columns))
            do(db_url, f"create table {place} ({listed})")
            if not takes_index(db_url, f"create index on {place} ({expression})"):
                # init goes without that index, and says so
                assert kind in STABLE or "read_day" in expression, (kind, expression)
                continue
            made += 1
            values = ", ".join([given] * len(columns))
            do(
                db_url,
                f"grant insert on {place} to {writer}",
                f"set local role {writer}",
                f"insert into {place} values ({values})",
                f"insert into {place} values ({', '.join(['null'] * len(columns))})",
            )
    assert made > 0
    do(db_url, f"drop owned by {writer}")


def test_the_owner_of_odd_columns_inserts_after_init(server_url: str, writer: str) -> None:
    with databases.clone(server_url, world.seeded(server_url)) as url:
        do(
            url,
            f"alter table {SCOUTING} alter driver_phone type bigint using driver_phone::bigint,"
            " alter registration_date type text",
        )
        init(url)
        do(
            url,
            f"grant insert on {SCOUTING} to {writer}",
            f"grant usage on all sequences in schema public to {writer}",
            f"grant usage on schema public to {writer}",
            f"set local role {writer}",
            f"insert into {SCOUTING} (scout_id, driver_phone, driver_license, registration_date)"
            " values (11, 900111005, 'Q70000005', '2025-03-05')",
        )
        found = f"select driver_phone from {SCOUTING} where driver_license = 'Q70000005'"
        assert value(url, found) == 900111005
        with writing(url) as conn:
            conn.exec_driver_sql("set local enable_seqscan = off")
            plan = conn.exec_driver_sql(
                "explain select from scout.src_scouting_daily where phone_key = '900111005'"
            )
            assert "scout_scouting_phone" in str(plan.all())
        do(url, f"drop owned by {writer}")
