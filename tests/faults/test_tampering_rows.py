"""Whatever a superuser does to a row that is sealed shows: each table, each column, each kind."""

import hashlib
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from scout_core.access import denials
from scout_core.db.database import Database
from scout_core.errors import PermissionDenied
from scout_core.install.tree import SQL_ROOT, AppendOnlyTable, append_only_tables, view_query
from scout_core.runs import chain
from tests.support import databases
from tests.support.job import broken_at_all, do, refresh, rows, value
from tests.support.tampering import OF_BOTH, OTHER_VALUE, VIEWER, attacking, is_found, live

RUN_ENDS = AppendOnlyTable("ops.ingestion_runs", "id", "id")
TOKENS = AppendOnlyTable("scout.api_tokens", "token_id", None)
SEALS = "scout.seals"
EVERY_TABLE = [*append_only_tables(), RUN_ENDS, TOKENS]
# of the owner's table, what a run of ours does not write; of tokens, when they were used
NOT_SEALED = {
    "ops.ingestion_runs": {"scope_date_from", "scope_date_to", "incremental"},
    "scout.api_tokens": {"last_used_at"},
}
FROZEN = {
    "v_sealed_rows": {
        "ops.identity_links_backfill_audit": "0e1227d19829",
        "ops.lead_ledger_scout_backfill_audit": "a4cd99cbeefb",
        "ops.lead_events_scout_backfill_audit": "784dddac5db3",
        "ops.job_runs_audit": "e93bfcc2ceef",
        "ops.ingestion_runs": "3537673ad28a",
        "scout.runs": "e955c3b85192",
        "scout.decisions": "b389574b55a7",
        "scout.erased_persons": "4a8a28bec0e4",
        "scout.alert_events": "59ec9df8d761",
        "scout.health_changes": "f8e143bb67e3",
        "scout.outbox": "dd83724557f4",
        "scout.delivery_log": "47ebd9b4209e",
        "scout.quality_results": "b0de4a88680b",
        "scout.denials": "4cfbfd256dc7",
        "scout.export_audit": "669aad26a63d",
        "scout.token_events": "55aa908dcee5",
    },
    "v_sealed_rows_1": {
        "identity_links_backfill_audit": "b18ae36452b5",
        "lead_ledger_scout_backfill_audit": "84bd6966f913",
        "lead_events_scout_backfill_audit": "ef88c79f103b",
        "job_runs_audit": "f7d61b8bf966",
        "runs": "dbd90fe5aacf",
        "decisions": "68e812af0233",
    },
}
COLUMNS = """
    select a.attname, format_type(a.atttypid, null) from pg_attribute as a
    where a.attrelid = '{table}'::regclass and a.attnum > 0 and not a.attisdropped
    order by a.attnum"""


@pytest.fixture(scope="module")
def lived_url(server_url: str) -> Iterator[str]:
    """A database in which everything that is sealed has happened. Nothing may commit to it."""
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        database = Database(url)
        live(database, url)
        assert broken_at_all(database) == {}
        database.dispose()
        yield url


def groups(url: str, table: AppendOnlyTable) -> list[str]:
    """One condition for each kind of row there is of a table: with a run, and without one."""
    if table.name not in OF_BOTH:
        return ["true"]
    run = OF_BOTH[table.name]
    return [f"{run} is null", f"{run} is not null"]


def of_ours(table: AppendOnlyTable) -> str:
    return "id in (select run_id from scout.runs)" if table == RUN_ENDS else "true"


@pytest.mark.sampled(6)
@pytest.mark.parametrize("table", EVERY_TABLE, ids=lambda t: t.name)
def test_each_value_that_is_edited_is_found(lived_url: str, table: AppendOnlyTable):
    name, number = table.name, table.id_column
    missed, false_alarms, tried = [], [], 0
    for column, kind in rows(lived_url, COLUMNS.format(table=name)):
        for group in groups(lived_url, table):
            with attacking(lived_url, name) as conn:
                changed = conn.exec_driver_sql(
                    f"update {name} set {column} = {OTHER_VALUE[kind].format(c=column)}"
                    f" where {number} = (select min({number}) from {name} where"
                    f" {group} and {of_ours(table)})"
                ).rowcount
                assert changed == 1, (name, column, group)
                seen = is_found(conn)
            tried += 1
            if column in NOT_SEALED.get(name, ()):
                false_alarms += [column] if seen else []
            elif not seen:
                missed.append((column, group))
    assert tried >= 4
    assert missed == []
    assert false_alarms == []


@pytest.mark.sampled(6)
@pytest.mark.parametrize("table", EVERY_TABLE, ids=lambda t: t.name)
def test_rows_that_go_come_or_change_places_are_found(lived_url: str, table: AppendOnlyTable):
    name, number = table.name, table.id_column
    every = [column for column, _ in rows(lived_url, COLUMNS.format(table=name))]
    others = ", ".join(column for column in every if column != number)
    missed, swapped = [], 0
    for group in groups(lived_url, table):
        where = f"{group} and {of_ours(table)}"
        edge = f"(select {{}}({number}) from {name} where {where})"
        forged = "'0000000000000000'" if table == TOKENS else f"{number} + 1000000"
        kinds = {
            "deleted first": f"delete from {name} where {number} = {edge.format('min')}",
            "deleted last": f"delete from {name} where {number} = {edge.format('max')}",
            "deleted all": f"delete from {name} where {where}",
            "inserted": f"insert into {name} ({number}, {others}) select {forged}, {others}"
            f" from {name} where {number} = {edge.format('min')}",
            "swapped": f"with pair as (select {edge.format('min')} as a, {edge.format('max')} as b)"
            f" update {name} as t set ({others}) = (select {others} from {name} as o"
            f" where o.{number} = case when t.{number} = p.a then p.b else p.a end)"
            f" from pair as p where t.{number} in (p.a, p.b)",
        }
        for kind, statement in kinds.items():
            with attacking(lived_url, name) as conn:
                if table == RUN_ENDS and kind == "inserted":
                    continue  # a run that nobody started is not ours
                touched = conn.exec_driver_sql(statement).rowcount
                assert touched, (name, kind, group)
                if kind == "swapped" and touched == 1:
                    continue  # with itself
                swapped += kind == "swapped"
                if not is_found(conn):
                    missed.append((kind, group))
    assert swapped
    with attacking(lived_url, name) as conn:
        conn.exec_driver_sql(f"truncate {name} cascade")
        if not is_found(conn):
            missed.append(("emptied", "true"))
    assert missed == []


def test_row_that_goes_before_it_is_sealed_is_found_before_and_after(db: Database, db_url: str):
    """What waits is noted, and the seal says that it was gone."""
    denials.record(db, VIEWER, PermissionDenied(action="run"), "api")
    do(
        db_url,
        "alter table scout.denials disable trigger scout_append_only",
        "delete from scout.denials",
        "alter table scout.denials enable always trigger scout_append_only",
    )
    assert [row["problem"] for row in broken_at_all(db)["runs_are_sealed"]] == [
        "scout.denials 1 waits for its seal and is gone"
    ]
    refresh(db)
    assert value(db_url, "select count(*) from scout.unsealed_rows") == 0
    assert [row["problem"] for row in broken_at_all(db)["seals_hold"]] == ["sealed rows changed"]


def test_every_append_only_table_is_sealed_and_says_so(lived_url: str):
    """One list: what the catalog says to be append-only is on it, and seals cover all but seals."""
    guarded = rows(
        lived_url,
        "select tgrelid::regclass::text from pg_trigger where tgname = 'scout_append_only'",
    )
    names = {table.name for table in append_only_tables()}
    assert {name for (name,) in guarded} == names
    assert set(
        rows(lived_url, "select table_name, id_column, run_column from scout.v_append_only")
    ) == {(table.name, table.id_column, table.run_column) for table in append_only_tables()}
    sealed = rows(lived_url, "select distinct table_name from scout.v_sealed_rows")
    assert {name for (name,) in sealed} == names - {SEALS} | {RUN_ENDS.name}


@pytest.mark.parametrize("view", FROZEN)
def test_what_a_form_of_seals_covers_never_changes(view: str):
    """Old seals break with it. Another table without a run may be added at the end, with its hash
    here; anything else needs another form."""
    branches = re.split(r"^union all$", view_query(view), flags=re.M)
    hashes = {
        re.search(r"'([\w.]+)'", branch)[1]: hashlib.sha256(
            " ".join(branch.split()).encode()
        ).hexdigest()[  # type: ignore[index]
            :12
        ]
        for branch in branches
    }
    assert hashes == FROZEN[view]


def test_sql_check_of_seals_says_what_python_says(lived_url: str):
    """For whoever has SQL alone: on what is whole, and on each seal that was changed."""
    statement = text((SQL_ROOT / "health" / "invariants" / "seals_hold.sql").read_text())
    with attacking(lived_url, "scout.denials", SEALS) as conn:
        assert conn.execute(statement).all() == []
        conn.exec_driver_sql("update scout.denials set actor = 'x' where id = 1")
        conn.exec_driver_sql(f"update {SEALS} set sealed_at = now() where seal_no = 3")
        conn.exec_driver_sql(f"delete from {SEALS} where seal_no = 5")
        by_sql = [(row.seal_no, row.problem) for row in conn.execute(statement)]
        by_python = [(row["seal_no"], row["problem"]) for row in chain.offending_seals(conn)]
    assert by_sql == by_python
    assert {problem for _, problem in by_sql} == {
        "sealed rows changed",
        "seal changed",
        "chain broken",
    }
