"""Who is given scout_report reads the contract, and neither who a driver is nor anything else."""

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import DBAPIError

from scout_core.attribution.settle import settle
from scout_core.install import doctor
from tests.support import factories as new
from tests.support.installing import connection, init, opened, run, settings, value
from tests.support.job import key, refresh, rows, story, writing
from tests.support.strangers import stranger

# what of the contract tells who a driver is
WITHHELD = {
    ("v_scout_attribution", "driver_license"),
    ("v_scout_attribution", "driver_phone"),
    ("v_scout_attribution_raw", "driver_license"),
    ("v_scout_attribution_raw", "driver_phone"),
    ("v_yango_collection_with_scout", "driver_name"),
}
# when it was read
MOMENTS = ("snapshot_timestamp", "as_of", "computed_at")
CONTRACT = (
    "select c.relname::text, a.attname::text from pg_class as c"
    " inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
    " where c.relkind = 'v' and c.relnamespace = 'ops'::regnamespace"
    " and c.relowner = 'scout_owner'::regrole order by c.relname, a.attnum"
)


@pytest.fixture
def url(db_url: str) -> str:
    """A database with claims and rules, of which a part is settled and a part has just come."""
    run(
        db_url,
        "create table ops.scout_payment_rules (origin_tag text, milestone_value integer,"
        " amount numeric, is_active boolean)",
        "insert into ops.scout_payment_rules values (null, 5, 30, true)",
    )
    init(db_url)
    story(db_url)
    with opened(db_url) as db:
        refresh(db)
        settle(db)
    with writing(db_url) as conn:
        new.claim(conn, person=key("ana"), driver="driver of ana", milestone=5)
        new.cabinet_lead(conn, external="L1")
    story(db_url, "b")
    return db_url


@pytest.fixture
def login(url: str) -> Iterator[str]:
    """A plain login that an administrator gave the role."""
    with stranger(url, "scout_report") as given:
        yield given


def contract(url: str) -> dict[str, list[str]]:
    """The columns of each view of the contract."""
    found: dict[str, list[str]] = {}
    for view, column in rows(url, CONTRACT):
        found.setdefault(view, []).append(column)
    return found


@pytest.mark.parametrize("state", ["EXACT", "SETTLED", "LIVE"])
def test_every_view_reads_as_for_everybody_but_for_who_a_driver_is(
    url: str, login: str, state: str
) -> None:
    if state == "LIVE":
        run(url, "update scout.state set mode = 'LIVE'")
    if state == "SETTLED":
        run(
            url,
            "insert into scout.pending_persons (source_table, source_pk)"
            " select 'drivers', n::text from generate_series(1, 10001) as n",
        )
    assert value(url, "select reading from scout.v_state") == state
    counts = {}
    for view, columns in contract(url).items():
        shown = [c for c in columns if (view, c) not in WITHHELD]
        query = (
            f"select {', '.join(c for c in shown if c not in MOMENTS)}"
            f" from ops.{view} order by 1, 2"
        ).replace("last_job_summary", "last_job_summary::text")
        with connection(login) as mine, connection(url) as theirs:
            seen = [str(row) for row in mine.exec_driver_sql(query)]
            assert seen == [str(row) for row in theirs.exec_driver_sql(query)], view
        counts[view] = len(seen)
    assert len(counts) == 10
    assert [view for view, count in counts.items() if not count] == ["v_dim_scouts"]


def test_nothing_that_tells_who_a_driver_is_can_be_read(url: str, login: str) -> None:
    readable = {
        (view, column)
        for view, columns in contract(url).items()
        for column in columns
        if value(
            url, f"select has_column_privilege('scout_report', 'ops.{view}', '{column}', 'select')"
        )
    }
    assert {(v, c) for v, columns in contract(url).items() for c in columns} - readable == WITHHELD
    for view, column in WITHHELD:
        for query in (
            f"select {column} from ops.{view}",
            f"select * from ops.{view}",
            f"select v from ops.{view} as v",
            f"select 1 from ops.{view} where {column} is null",
        ):
            with pytest.raises(DBAPIError, match=f"permission denied for view {view}"):
                value(login, query)


def test_nothing_else_can_be_read_called_or_made(url: str, login: str) -> None:
    reachable = rows(
        url,
        "select c.oid::regclass::text from pg_class as c"
        " inner join pg_namespace as n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')"
        " and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_t'"
        " and not (n.nspname = 'ops' and c.relkind = 'v' and c.relowner = 'scout_owner'::regrole)"
        " and case c.relkind when 'S' then has_sequence_privilege('scout_report', c.oid, 'usage')"
        " else has_table_privilege('scout_report', c.oid,"
        " 'select, insert, update, delete, truncate, references, trigger')"
        " or has_any_column_privilege('scout_report', c.oid, 'select, insert, update') end",
    )
    assert reachable == []
    for schema in ("scout", "canon", "observational", "ops"):
        assert not value(url, f"select has_schema_privilege('scout_report', '{schema}', 'create')")
    for query in (
        "select * from scout.person_attribution",
        "select * from scout.attribution_of(array[gen_random_uuid()])",
        "select * from scout.all_attribution()",
        "select scout.reading()",
    ):
        with pytest.raises(DBAPIError, match="permission denied for schema scout"):
            value(login, query)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "grant",
    [
        "grant select on ops.v_scout_attribution to scout_report",
        "grant select (driver_phone) on ops.v_scout_attribution to scout_report",
        "grant select on scout.person_attribution to scout_report",
        "grant usage on schema scout to scout_report",
        "revoke select (scout_id) on ops.v_scout_attribution from scout_report",
    ],
)
def test_doctor_names_what_the_role_has_too_much_or_too_little_and_init_mends_it(
    url: str, login: str, grant: str
) -> None:
    run(url, grant)
    with opened(url) as db:
        found = [f for f in doctor.examine(db, settings()) if f.state == "FAIL"]
    assert found
    assert all("scout_report" in f.what for f in found)
    init(url)
    with opened(url) as db:
        assert [f for f in doctor.examine(db, settings()) if f.state == "FAIL"] == []
    test_nothing_that_tells_who_a_driver_is_can_be_read(url, login)


def test_who_was_given_one_view_reads_it_after_the_next_init(url: str) -> None:
    grants = ("usage on schema ops", "select on ops.v_scout_attribution_raw")
    with stranger(url, *grants) as login:
        init(url)
        assert value(login, "select count(*) from ops.v_scout_attribution_raw")
        with pytest.raises(DBAPIError, match="permission denied for view"):
            value(login, "select count(*) from ops.v_scout_attribution")
