"""The job never touches claims, payments and collection, and does not start where it could."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import DBAPIError

from scout_core.attribution import conflicts, coverage
from scout_core.attribution.persons import explain
from scout_core.db.database import CHECK, LOOK, Database, Profile
from scout_core.errors import PermissionDenied
from scout_core.health import verdict
from scout_core.install import doctor
from scout_core.job.refresh import plan
from tests.support import factories as new
from tests.support.job import (
    broken,
    do,
    key,
    refresh,
    run_states,
    settings,
    story,
    value,
    writing,
)
from tests.support.state import effects, fingerprint
from tests.support.strangers import stranger

MONEY = (
    "public.peer_claims",
    "public.module_ct_cabinet_payments",
    "ops.scout_payment_rules",
    "ops.scout_liquidation_ledger",
)
FIRST_COLUMNS = dict(zip(MONEY, ("driver_id", "id", "id", "id"), strict=True))
OPTIONAL = (
    "create table ops.scout_payment_rules (id integer, origin_tag varchar, milestone_value integer,"
    " amount numeric(12,2), is_active boolean)",
    "create table ops.scout_liquidation_ledger (id integer, person_key uuid, scout_id integer,"
    " milestone_value integer, amount numeric(12,2), paid_at timestamptz)",
)


@pytest.fixture
def money_url(db_url: str) -> str:
    """The story with claims, cabinet payments, payment rules and payments made."""
    story(db_url)
    do(
        db_url,
        *OPTIONAL,
        "insert into ops.scout_payment_rules values (1, null, 1, 20, true), (2, null, 5, 30, true)",
        "insert into ops.scout_liquidation_ledger"
        f" values (1, '{key('ana')}', 7, 1, 20, now()), (2, '{key('carla')}', 9, 1, 20, now())",
    )
    with writing(db_url) as conn:
        for name in ("ana", "beto", "carla", "dora", "eva"):
            new.claim(conn, person=key(name), driver=f"driver of {name}", milestone=5)
        new.payment(conn, person=key("eva"), scout=6)
        new.payment(conn, person=key("beto"), scout=8)
    return db_url


def test_claims_and_payments_stay_as_they_are_to_the_byte(db: Database, money_url: str):
    """Content, place, writer and locker of each row: before and after everything there is."""
    before = fingerprint(money_url, *MONEY)
    result = refresh(db, environ={"SCOUT_RUN_MAX_ROWS": "2"})
    assert result.stats["steps"]["propagate"]["changed"] == 2
    assert fingerprint(money_url, *MONEY) == before
    with db.transaction(CHECK) as conn:
        plan(conn, settings())
        explain(conn, str(key("ana")))
    assert broken(db) == {}
    with db.transaction(LOOK) as conn:
        coverage.snapshot(conn)
        conflicts.list_open(conn, page_size=10)
        verdict.assess(conn, settings(), datetime.now(UTC))
        conn.exec_driver_sql("select from ops.v_yango_collection_with_scout")
        conn.exec_driver_sql("select from ops.v_scout_payment_base")
    refresh(db)
    assert fingerprint(money_url, *MONEY) == before


def test_neighbour_of_the_claims_did_change(db: Database, money_url: str):
    """The fingerprint sees a row that was only locked, so that the test above can fail."""
    before = fingerprint(money_url, "public.peer_claims", "observational.lead_ledger")
    refresh(db)
    assert fingerprint(money_url, "observational.lead_ledger") != before
    with writing(money_url) as conn:
        conn.exec_driver_sql("select from public.peer_claims limit 1 for share")
    assert (
        fingerprint(money_url, "public.peer_claims")["public.peer_claims"]
        != (before["public.peer_claims"])
    )


GRANTS = [
    "grant insert on public.peer_claims to scout_writer",
    "grant update on public.module_ct_cabinet_payments to scout_writer",
    "grant delete on ops.scout_liquidation_ledger to scout_writer",
    "grant truncate on ops.scout_payment_rules to public",
    "grant update on ops.v_yango_cabinet_claims_for_collection to scout_writer",
    "grant update (amount) on ops.scout_liquidation_ledger to scout_writer",
]


def test_job_that_could_write_claims_does_not_start(db: Database, money_url: str):
    before = effects(money_url)
    for grant in GRANTS:
        do(money_url, grant)
        table = grant.partition(" on ")[2].partition(" to ")[0]
        with pytest.raises(PermissionDenied, match=table) as refused:
            refresh(db)
        assert refused.value.exit_code == 3
        status, reason = run_states(money_url)[-1]
        assert (status, table in str(reason)) == ("FAILED", True)
        do(money_url, grant.replace("grant", "revoke").replace(" to ", " from "))
    assert effects(money_url) == before
    assert refresh(db).status == "COMPLETED"
    assert effects(money_url) != before


WAYS = {
    "a trigger": "grant trigger on public.peer_claims to scout_writer",
    "a role that it can become": "grant insert on public.peer_claims to {etl};"
    " grant {etl} to scout_writer{option}",
    "a view": "create view public.open_rows as select * from public.peer_claims;"
    " grant update (driver_name) on public.open_rows to scout_writer",
    "a view upon a view": "create view public.open_rows as select * from public.peer_claims;"
    " create view canon.some_rows as select driver_id from public.open_rows;"
    " grant insert on canon.some_rows to {etl}; grant {etl} to scout_writer{option}",
    "a view with a trigger": "create view public.open_rows as"
    " select count(*) as n from public.peer_claims;"
    " create function public.put() returns trigger language plpgsql as 'begin return new; end';"
    " create trigger put instead of insert on public.open_rows for each row"
    " execute function public.put(); grant insert on public.open_rows to scout_writer",
    "upkeep": "grant maintain on public.peer_claims to scout_writer",
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("way", WAYS)
def test_job_that_could_write_claims_by_a_detour_does_not_start(
    db: Database, money_url: str, way: str
):
    if way == "upkeep" and db.capabilities.server_version < 170000:
        pytest.skip("MAINTAIN came with PostgreSQL 17")
    before = effects(money_url)
    with stranger(money_url, "usage on schema public") as etl:
        name = value(etl, "select session_user")
        # what is not inherited can be taken with SET ROLE
        option = " with inherit false" if db.capabilities.server_version >= 160000 else ""
        grant = WAYS[way].format(etl=name, option=option)
        do(money_url, grant)
        with pytest.raises(PermissionDenied, match=r"public\.peer_claims"):
            refresh(db)
        findings = {f.name: f for f in doctor.examine(db, settings()) if f.layer == "login"}
        assert findings["claims"].state == "FAIL"
        assert "public.peer_claims" in findings["claims"].what
        assert {r["table_name"] for r in broken(db)["job_cannot_write_claims"]} == {
            "public.peer_claims"
        }
        assert effects(money_url) == before


def test_view_over_claims_that_nobody_can_write_through_does_not_stop_the_job(
    db: Database, money_url: str
):
    do(
        money_url,
        "create view public.totals as select count(*) as n from public.peer_claims",
        "grant insert, update, delete on public.totals to scout_writer",
    )
    assert refresh(db).status == "COMPLETED"


def test_right_to_write_claims_is_a_broken_invariant(db: Database, money_url: str):
    do(money_url, "grant insert on public.peer_claims to scout_writer")
    assert [r["table_name"] for r in broken(db)["job_cannot_write_claims"]] == [
        "public.peer_claims"
    ]


@pytest.mark.parametrize("role", ["scout_writer", "scout_reader"])
def test_roles_of_the_product_are_refused_at_the_claims(money_url: str, role: str):
    before = fingerprint(money_url, *MONEY)
    for table in MONEY:
        for statement in (
            f"update {table} set {FIRST_COLUMNS[table]} = null",
            f"delete from {table}",
            f"truncate {table}",
            f"insert into {table} default values",
        ):
            with pytest.raises(DBAPIError, match="permission denied"):
                do(money_url, f"set local role {role}", statement)
    assert fingerprint(money_url, *MONEY) == before


def test_job_does_not_run_as_a_superuser_without_roles(db_url: str):
    story(db_url)
    login = value(db_url, "select current_user")
    # functions that note what is written go on working as their owner
    do(db_url, f"alter schema scout owner to {login}", "grant usage on schema scout to scout_owner")
    before = effects(db_url)
    db = Database(db_url)
    assert not db.capabilities.has_roles
    with pytest.raises(PermissionDenied, match="superuser") as refused:
        refresh(db)
    db.dispose()
    assert refused.value.exit_code == 3
    assert effects(db_url) == before
    assert run_states(db_url)[0][0] == "FAILED"


@pytest.mark.parametrize("profile", [LOOK, CHECK], ids=lambda p: p.name)
def test_look_cannot_write_even_where_the_role_may(db: Database, money_url: str, profile: Profile):
    do(money_url, "grant insert on public.peer_claims to scout_reader, scout_writer")
    look = db.begin(profile)
    with pytest.raises(DBAPIError, match="read-only transaction"):
        look.conn.exec_driver_sql("insert into public.peer_claims (driver_id) values ('x')")
    look.rollback()
