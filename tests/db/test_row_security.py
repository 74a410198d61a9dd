"""Where row level security hides rows from us, nothing is attributed, and everybody is told."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from scout_core import cli
from scout_core.attribution.settle import settle
from scout_core.db import row_security
from scout_core.db.database import CHECK, JOB, LOOK, Database, Profile
from scout_core.errors import RowsHidden
from scout_core.health import verdict as health
from scout_core.install import doctor, init
from scout_core.job.refresh import plan
from scout_core.sources import SOURCES
from tests.support import factories as new
from tests.support.installing import opened, run
from tests.support.job import (
    broken,
    do,
    key,
    refresh,
    run_states,
    scouts,
    settings,
    story,
    value,
    writing,
)
from tests.support.state import effects
from tests.support.strangers import stranger

RULES = (
    "create table ops.scout_payment_rules (origin_tag text, milestone_value integer,"
    " amount numeric, is_active boolean)",
    "create table ops.scout_liquidation_ledger (person_key uuid, scout_id integer,"
    " milestone_value integer, amount numeric, paid_at timestamptz)",
)
CLAIMS = "ops.v_yango_cabinet_claims_for_collection"
TABLES = [source.name for source in SOURCES if source.name != CLAIMS]
RUNS = "ops.ingestion_runs"


@pytest.fixture
def url(db_url: str) -> str:
    """A database with every source, in which something waits for a run."""
    do(db_url, *RULES)
    with opened(db_url) as db:
        init.init(db, settings(), report=lambda _: None)
    story(db_url)
    return db_url


def verb(url: str, monkeypatch: pytest.MonkeyPatch, capsys: Any, *words: str) -> tuple[int, Any]:
    monkeypatch.setenv("DATABASE_URL", url)
    capsys.readouterr()
    code = cli.run([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def hidden_in_doctor(db: Database) -> set[str]:
    return {
        f.what
        for f in doctor.examine(db, settings())
        if f.layer == "sources" and f.state == "FAIL" and "Row level security" in f.what
    }


def test_evidence_that_is_hidden_gives_nobody_a_wrong_scout(db: Database, db_url: str) -> None:
    """The person's migration names 14; where it cannot be seen, an event alone would say 11."""
    with writing(db_url) as conn:
        person = new.person(conn, key=key("rosa"), license="ROSA100")
        new.driver(conn, key="D6", license="ROSA100", person=person)
        new.migration(conn, driver="D6", scout=14)
    refresh(db)
    with writing(db_url) as conn:
        new.lead_event(conn, person=person, scout=11)
    do(db_url, "alter table public.module_ct_migrations enable row level security")
    before = effects(db_url)
    with pytest.raises(RowsHidden, match=r"public\.module_ct_migrations"):
        refresh(db)
    assert scouts(db_url) == {}
    assert effects(db_url) == before
    do(db_url, "alter table public.module_ct_migrations disable row level security")
    refresh(db)
    assert scouts(db_url) == {}
    assert value(db_url, "select conflict_kind from ops.v_scout_attribution_conflicts") == (
        "SEVERAL_SCOUTS"
    )


@pytest.mark.sampled(5)
@pytest.mark.parametrize("table", TABLES)
def test_no_run_starts_while_rows_of_a_source_are_hidden(
    url: str, table: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    with opened(url) as db:
        do(url, f"alter table {table} enable row level security")
        before = effects(url)
        with pytest.raises(RowsHidden, match=table), db.transaction(CHECK) as conn:
            plan(conn, settings())
        with pytest.raises(RowsHidden, match=table):
            settle(db)
        for trigger in ("manual", "cron"):
            with pytest.raises(RowsHidden):
                refresh(db, trigger=trigger)
        assert effects(url) == before
        if table != RUNS:
            states = run_states(url)
            assert [status for status, _ in states] == ["FAILED", "FAILED"]
            for _, reason in states:
                assert reason is not None
                assert f"Row level security hides rows of {table} from" in reason
                assert f"alter table {table} disable row level security;" in reason
        assert len(hidden_in_doctor(db)) == 2
        for role in ("scout_owner", "scout_writer"):
            assert [w for w in hidden_in_doctor(db) if f"hides rows of {table} from {role}:" in w]
        code, told = verb(url, monkeypatch, capsys, "refresh")
        assert code == 3
        assert told["error"]["kind"] == "RowsHidden"
        if table != RUNS:
            code, told = verb(url, monkeypatch, capsys, "health", "--light", "sources")
            assert code == 2
            light = next(r for r in told["lights"] if r["indicator"] == "sources")
            assert light["value"] == table
            assert table in light["text"]
        do(url, f"alter table {table} disable row level security")
        assert refresh(db).status == "COMPLETED"
        assert broken(db) == {}
        assert hidden_in_doctor(db) == set()


def test_rows_beneath_a_view_of_the_owner_are_hidden_too(url: str) -> None:
    with stranger(url, "usage on schema public, ops", "select on public.peer_claims") as login:
        who = value(login, "select session_user::text")
        run(
            url,
            f"grant create on schema ops to {who}",
            f"alter view {CLAIMS} owner to {who}",
            "alter table public.peer_claims enable row level security",
        )
        with opened(url) as db:
            with db.transaction(LOOK) as conn:
                (hidden,) = row_security.list_hidden(conn)
            assert (hidden.table_name, hidden.role_name) == ("public.peer_claims", who)
            assert hidden.source_name == CLAIMS
            with pytest.raises(RowsHidden, match=CLAIMS.split(".")[1]):
                refresh(db)
            with pytest.raises(RowsHidden, match="peer_claims"), db.transaction(LOOK) as conn:
                conn.exec_driver_sql("select count(*) from ops.v_yango_collection_with_scout")
        run(url, f"alter view {CLAIMS} owner to postgres")


@pytest.mark.parametrize("word", ["true", "on", "1", "yes"])
def test_view_that_reads_as_its_caller_is_looked_through_however_that_is_written(
    url: str, word: str
) -> None:
    run(
        url,
        "alter table public.peer_claims enable row level security",
        "grant select on public.peer_claims to scout_owner, scout_writer, scout_reader",
    )
    with opened(url) as db:
        with db.transaction(LOOK) as conn:
            assert row_security.list_hidden(conn) == ()
        run(url, f"alter view {CLAIMS} set (security_invoker = {word})")
        with db.transaction(LOOK) as conn:
            hidden = row_security.list_hidden(conn)
        assert {found.table_name for found in hidden} == {"public.peer_claims"}


@pytest.mark.parametrize("profile", [JOB, LOOK, CHECK], ids=lambda p: p.name)
@pytest.mark.parametrize("source", ["public.module_ct_migrations", "scout.person_attribution"])
def test_a_statement_that_would_miss_rows_is_an_error(
    db: Database, db_url: str, profile: Profile, source: str
) -> None:
    do(db_url, f"alter table {source} enable row level security")
    reads = source if source.startswith("scout") else "scout.src_migrations"
    match = source.split(".")[1]
    with pytest.raises(RowsHidden, match=match) as caught, db.transaction(profile) as conn:
        conn.exec_driver_sql(f"select count(*) from {reads}")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("select", {"scout_owner", "scout_writer"}),
        ("alter role scout_writer bypassrls", {"scout_owner"}),
        ("alter role scout_owner bypassrls", {"scout_writer"}),
        ("alter table public.module_ct_migrations owner to scout_owner", {"scout_writer"}),
        (
            "alter table public.module_ct_migrations owner to scout_owner;"
            " alter table public.module_ct_migrations force row level security",
            {"scout_owner", "scout_writer"},
        ),
        (
            "create policy everything on public.module_ct_migrations using (true)",
            {"scout_owner", "scout_writer"},
        ),
        ("alter table public.module_ct_migrations disable row level security", set()),
    ],
)
def test_each_role_is_told_by_itself_as_postgresql_does_it(
    db_url: str, change: str, left: set[str]
) -> None:
    """Rolled back: roles belong to the whole server."""
    do(db_url, "alter table public.module_ct_migrations enable row level security")
    with writing(db_url) as conn:
        conn.exec_driver_sql(change)
        told = {h.role_name for h in row_security.list_hidden(conn)} - {"scout_reader"}
        really = set()
        for role in ("scout_owner", "scout_writer"):
            conn.exec_driver_sql(f"set local role {role}")
            query = "select row_security_active('public.module_ct_migrations')"
            if conn.exec_driver_sql(query).scalar_one():
                really.add(role)
            conn.exec_driver_sql("reset role")
        conn.rollback()
    assert told == really == left


def test_init_says_which_rows_are_hidden_and_settles_when_they_are_not(source_db: str) -> None:
    do(source_db, "alter table canon.identity_links enable row level security")
    with opened(source_db) as db:
        report = init.init(db, settings(), report=lambda _: None)
        (lost,) = report.lost
        assert "alter table canon.identity_links disable row level security;" in lost
        do(source_db, "alter table canon.identity_links disable row level security")
        report = init.init(db, settings(), report=lambda _: None)
        assert report.lost == ()
        assert [line for line in report.done if line.startswith("Settled")]


def test_health_of_the_whole_cannot_be_told_while_rows_are_hidden(
    db: Database, db_url: str
) -> None:
    story(db_url)
    refresh(db)
    do(db_url, "alter table public.module_ct_scouting_daily enable row level security")
    with db.transaction(LOOK) as conn:
        verdict = health.assess(conn, settings(), datetime.now(UTC))
    told = {r.indicator: (r.status, r.value) for r in verdict.told}
    assert told["satisfactory"] == ("UNKNOWN", None)
    assert told["conflicts"] == ("UNKNOWN", None)
    assert told["last_run"] == ("OK", "COMPLETED")
    assert told["sources"] == ("FAIL", "public.module_ct_scouting_daily")
