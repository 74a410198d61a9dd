"""An installation of an earlier version, with what runs and people did: init of this version takes
it up, and nothing is lost."""

import io
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text

from scout_core.access import tokens
from scout_core.db.database import Database
from scout_core.decide import undo
from scout_core.install import init as install_init
from scout_core.install.tree import SQL_ROOT
from scout_core.runs import seals
from tests.support import catalog, databases
from tests.support import factories as new
from tests.support.installing import connection, init
from tests.support.job import (
    OPERATOR,
    broken_at_all,
    decide,
    do,
    key,
    refresh,
    rows,
    run_states,
    scouts,
    story,
    value,
    wait_until,
    writing,
)
from tests.support.looking import look
from tests.support.tampering import ADMIN, attacking, fail, is_found

CREATED = re.compile(
    r"^(?:create (?:table|function|or replace function) scout\.|add column )(\w+)", re.MULTILINE
)
LEDGER = "ops.lead_ledger_scout_backfill_audit"
LINKS = "ops.identity_links_backfill_audit"
COMPUTED = {
    "scout.attribution_days",
    "scout.attribution_scouts",
    "scout.attribution_totals",
    "scout.pending_persons",
    "scout.person_attribution",
    "scout.state",
    "scout.unlinked_rows",
}
SCHEMA = sorted((SQL_ROOT / "schema").glob("*.sql"))
# what an installation notes of itself, and what it reckons anew
OF_THE_INSTALLATION = ("schema_files", "installed_objects", "install_facts", "state", "alert_state")
TABLES = (
    "select c.oid::regclass::text from pg_class as c"
    " where c.relkind = 'r' and c.relnamespace::regnamespace::text in"
    " ('scout', 'ops', 'canon', 'observational', 'public', 'raw') and not (c.relnamespace ="
    f" 'scout'::regnamespace and c.relname in {OF_THE_INSTALLATION}) order by 1"
)
COLUMNS = (
    "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute"
    " where attrelid = cast(:name as regclass) and attnum > 0 and not attisdropped"
    " and attgenerated = ''"
)
SEQUENCES = (
    "select format('%I.%I', schemaname, sequencename), last_value from pg_sequences"
    " where last_value is not null"
)


# what a view reads through a function since schema file 26, it read as it stood before
AS_IT_STOOD = {
    r"scout\.bad_value\(.*? is not null\)": "null::text",
    r"scout\.is_unreadable_payload\([\w.]+\)": "false",
    r"scout\.read_hire_day\(([\w.]+)\)": r"scout.lima_date(scout.source_timestamp(\1))",
    r"scout\.read_key\(([\w.]+)\)": r"\1::text",
    r"scout\.read_row_number\(([\w.]+)\)": r"\1::bigint",
    r"scout\.read_\w+\(([\w.]+)\)": r"\1",
    r"scout\.sane_amount\(([\w.]+)\)": r"\1",
}


def links_by_number(body: str) -> str:
    """A view as it was when a link was of a row's number, whatever the row says."""
    body = re.sub(
        r"scout\.row_content\(.*?\n    \) as content", "null::uuid as content", body, flags=re.S
    )
    body = re.sub(r"\n *and scout\.is_same_content\([^\n]*", "", body)
    return body.replace("scout.v_row_links", "canon.identity_links")


def tree_of(folder: Path, number: int) -> Path:
    """The SQL tree as it was up to this schema file: without what stands on later ones."""
    tree = folder / "sql"
    shutil.copytree(SQL_ROOT, tree)
    later = [path for path in SCHEMA if int(path.name[:3]) > number]
    earlier = "".join(path.read_text() for path in SCHEMA if path not in later)
    gone = {name for path in later for name in CREATED.findall(path.read_text())}
    gone -= set(CREATED.findall(earlier))
    for path in later:
        (tree / "schema" / path.name).unlink()
    if number < 26:
        for path in [*(tree / "views").rglob("*.sql"), tree / "install" / "indexes.sql"]:
            body = path.read_text()
            for pattern, older in AS_IT_STOOD.items():
                body = re.sub(pattern, older, body)
            path.write_text(body)
    triggers = tree / "install" / "triggers.sql"
    parts = re.split(r"(?m)^(?=-- name: )", triggers.read_text())
    triggers.write_text("".join(p for p in parts if not set(re.findall(r"\w+", p)) & gone))
    views = {path: path.read_text() for path in (tree / "views").rglob("*.sql")}
    if "linked_rows" in gone:
        for path, body in views.items():
            views[path] = links_by_number(body)
            path.write_text(views[path])
    while True:
        on_gone = [p for p, body in views.items() if set(re.findall(r"\w+", body)) & gone]
        if not on_gone:
            return tree
        for path in on_gone:
            path.unlink()
            gone.add(path.stem)
            del views[path]


def init_as_of(url: str, tree: Path) -> None:
    """An installation of then: without the steps of init that came with later tables."""
    with pytest.MonkeyPatch.context() as then:
        for step in ("_note_sources", "_why_anew", "_keep_contents", "note_not_restored"):
            then.setattr(install_init, step, lambda *_, **__: None)
        then.setattr(install_init, "_build_state", lambda *_, **__: False)
        init(url, tree)


def content(url: str, selects: dict[str, str]) -> dict[str, set[str]]:
    return {table: {row for (row,) in rows(url, select)} for table, select in selects.items()}


def copy(source: str, target: str) -> dict[str, str]:
    """Every row of the tables that the target has, as the product of then would have written them.
    Returns what reads them, by table."""
    engine = create_engine(target, poolclass=NullPool)
    selects: dict[str, str] = {}
    with engine.begin() as into, create_engine(source, poolclass=NullPool).begin() as conn:
        into.exec_driver_sql("set local session_replication_role = replica")
        reads: Any = conn.connection.dbapi_connection.cursor()  # type: ignore[union-attr]
        writes: Any = into.connection.dbapi_connection.cursor()  # type: ignore[union-attr]
        for (table,) in rows(target, TABLES):
            # a column that a later version gave up is empty here: what it held is reckoned anew
            given = value(source, COLUMNS, name=table).split(", ")
            names = ", ".join(
                n for n in value(target, COLUMNS, name=table).split(", ") if n in given
            )
            data = io.StringIO()
            reads.copy_expert(f"copy (select {names} from {table}) to stdout", data)
            data.seek(0)
            writes.copy_expert(f"copy {table} ({names}) from stdin", data)
            selects[table] = f"select row({names})::text from {table}"
        there = {name for name, _ in rows(target, SEQUENCES.partition(" where")[0])}
        for name, last in rows(source, SEQUENCES):
            if name in there:
                into.exec_driver_sql(f"select setval('{name}', {last})")
    return selects


def seal_with_all(conn: Connection, run_id: int) -> dict[str, Any]:
    """The seal of a run as it was until schema file 15: of form 1, over what others changed as
    well, and chained by the program."""
    return dict(
        conn.execute(
            text(
                "with taken as (delete from scout.unsealed_rows where table_name ="
                " 'ops.lead_ledger_scout_backfill_audit' returning id), listed as"
                " (select coalesce(array_agg(id order by id), '{}') as ids from taken),"
                " newest as (select coalesce((select seal_hash from scout.seals"
                " order by seal_no desc limit 1), '') as hash)"
                " insert into scout.seals (run_id, form_no, row_count, covered_run_ids,"
                " external_audit_ids, content_hash, previous_hash, seal_hash)"
                " select :run_id, 1, c.row_count, array[cast(:run_id as integer)], l.ids,"
                " c.content_hash, n.hash,"
                " scout.seal_hash(:run_id, c.row_count, c.content_hash, n.hash)"
                " from listed as l cross join newest as n cross join lateral"
                " scout.audit_content(array[cast(:run_id as integer)], l.ids) as c"
                " returning seal_no, row_count, seal_hash"
            ),
            {"run_id": run_id},
        )
        .mappings()
        .one()
    )


@pytest.fixture
def old_url(server_url: str) -> Iterator[str]:
    """A database with the owner's tables, empty, nothing of ours."""
    with databases.clone(server_url, databases.source_schema_template(server_url)) as url:
        yield url


@pytest.mark.parametrize(
    "number", [10, 13, *(pytest.param(n, marks=pytest.mark.long) for n in (9, 11, 12, 14))]
)
def test_installation_of_an_earlier_version_is_taken_up_with_all_that_was_done(
    db: Database, db_url: str, old_url: str, tmp_path: Path, number: int, monkeypatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr(seals, "seal_others", lambda *_: 0)
        then.setattr(seals, "seal_run", seal_with_all)
        story(db_url)
        story(db_url, "b")
        # of the owner's evidence these versions kept everything in the audit itself
        do(db_url, "update observational.lead_ledger set evidence_json = null")
        first = refresh(db)
        decide(db, "carla", 9)
        decide(db, "carlab", None)
        undo.run_undo(db, actor=OPERATOR, run_id=first.run_id, reason="the wrong file was loaded")
        fail(db)
    with writing(db_url) as conn:
        new.ledger(conn, person=new.person(conn), scout=7)
    token = tokens.create(db, actor=ADMIN, name="one", role="viewer", now=datetime.now(UTC))
    tokens.revoke(db, actor=ADMIN, token_id=token.token_id)

    tree = tree_of(tmp_path, number)
    init_as_of(old_url, tree)
    selects = copy(db_url, old_url)
    before = content(db_url, selects)
    assert len(before["ops.lead_ledger_scout_backfill_audit"]) > 5
    assert value(old_url, "select max(version) from scout.schema_files") == number

    report = init(old_url)
    assert "Applied schema file" in " ".join(report.done)
    assert report.lost == ()
    assert init(old_url).is_nothing
    with connection(db_url) as conn, connection(old_url) as upgraded:
        assert catalog.difference(catalog.definitions(conn), catalog.definitions(upgraded)) == {}
    now_there = content(old_url, selects)
    # what is computed is computed anew, and compared below
    kept_there = {table: kept for table, kept in before.items() if table not in COMPUTED}
    lost = {table: kept - now_there[table] for table, kept in kept_there.items()}
    assert {table: gone for table, gone in lost.items() if gone} == {}

    now = Database(old_url)
    assert broken_at_all(now) == {}
    # what others had written since the last run, and nothing of what that run had sealed
    waiting = "select count(*) from scout.unsealed_rows where table_name = :name"
    assert value(old_url, waiting, name="ops.lead_ledger_scout_backfill_audit") == 1
    # how runs ended was in no seal, and the failed one with all that it wrote
    assert value(old_url, waiting, name="ops.ingestion_runs") == 4
    assert value(old_url, waiting, name="scout.runs") == 1
    assert value(old_url, waiting, name="scout.token_events") == 2
    assert look(now).states == look(db).states
    assert look(now).issues == look(db).issues
    done = refresh(now)
    assert {step: done.stats["steps"][step]["changed"] for step in ("link", "propagate")} == {
        "link": 0,
        "propagate": 0,
    }
    with writing(old_url) as conn:
        new.person(conn, key=key("fay"))
        new.lead_event(conn, person=key("fay"), scout=7)
    later = refresh(now)
    assert scouts(old_url)[key("fay")] == 7
    undo.run_undo(now, actor=OPERATOR, run_id=later.run_id, reason="the wrong file was loaded")
    assert {state for state, _ in run_states(old_url)} == {"COMPLETED", "FAILED"}
    assert broken_at_all(now) == {}
    assert rows(old_url, "select form_no, count(*) from scout.seals group by 1 order by 1") == [
        (1, 4),
        (2, 4),
    ]
    for table, change in {
        LEDGER: "actor = 'nobody' where ingestion_run_id is null",
        LINKS: "actor = 'nobody' where ingestion_run_id = 1",
        "scout.seals": "row_count = 7 where seal_no = 2",
        "ops.ingestion_runs": "completed_at = now() where id = 1",
    }.items():
        with attacking(old_url, table) as conn:
            assert conn.exec_driver_sql(f"update {table} set {change}").rowcount
            assert is_found(conn), table
    now.dispose()


def test_upgrade_waits_for_a_run_at_work_and_takes_nothing_that_it_needs(
    old_url: str, tmp_path: Path
) -> None:
    """Schema file 16 and a run lock the audit first, then the seals and the log of the run."""
    init_as_of(old_url, tree_of(tmp_path, 15))
    story(old_url)
    audit = "insert into ops.lead_ledger_scout_backfill_audit (person_key, actor) values"
    with ThreadPoolExecutor() as pool:
        with writing(old_url) as run:
            run.exec_driver_sql(f"{audit} ('{key('ana')}', 'x')")
            upgrade = pool.submit(init, old_url)
            wait_until(
                old_url,
                "select count(*) from pg_locks as l join pg_class as c on c.oid = l.relation"
                " where not l.granted and c.relname = 'lead_ledger_scout_backfill_audit'",
            )
            with writing(old_url) as control:
                control.exec_driver_sql("set local lock_timeout = '1s'")
                control.exec_driver_sql("lock table ops.job_runs_audit in row exclusive mode")
            run.exec_driver_sql("lock table scout.seals, ops.job_runs_audit in row exclusive mode")
        assert "Applied schema file 016_sealing.sql." in upgrade.result(60).done
    assert value(old_url, "select count(*) from scout.unsealed_rows") == 2


def test_another_reading_of_keys_is_taken_over_with_its_indexes_and_all_is_judged_anew(
    old_url: str, tmp_path: Path
) -> None:
    """A phone of ten digits was once its last nine: what was left for it is judged anew."""
    init_as_of(old_url, tree_of(tmp_path, 22))
    with writing(old_url) as conn:
        for name in ("ana", "beto"):
            new.person(conn, key=key(name), phone="998887771")
        eva = new.person(conn, key=key("eva"), phone="988877710")
        spoilt = new.scouting_row(conn, scout=7, phone="1998887771")
        wrong = new.scouting_row(conn, scout=7, phone="9988877710")
        new.driver(conn, license="00000000", phone="9988877710", person=eva)
        same = new.scouting_row(conn, scout=7, license="Q12345678")
        # as a run of then left them
        for row, person in ((wrong, eva), (same, new.person(conn, license="Q12345678"))):
            new.link(
                conn,
                table="module_ct_scouting_daily",
                pk=row,
                person=person,
                match_rule="BACKFILL_LICENSE_MATCH",
            )
        conn.execute(
            text(
                "insert into canon.identity_unmatched (source_table, source_pk, snapshot_date,"
                " reason_code, details, status) values ('module_ct_scouting_daily', :pk, now(),"
                " 'AMBIGUOUS_PHONE', '{}', 'OPEN')"
            ),
            {"pk": str(spoilt)},
        )
    now = Database(old_url)
    linked = "select source_pk from canon.identity_links where source_table <> 'drivers' order by 1"
    before = rows(old_url, linked)
    assert before == [(str(wrong),), (str(same),)]
    left = "select reason_code from canon.identity_unmatched where source_pk = :pk"
    assert value(old_url, left, pk=str(spoilt)) == "AMBIGUOUS_PHONE"

    report = init(old_url)
    told = " ".join(report.done)
    assert "Dropped index scout_registry_phone" in told
    assert "Built index scout_registry_phone" in told
    assert "Settled" in told
    assert "scout_lead_events_scout" not in told
    assert init(old_url).is_nothing
    refresh(now)
    assert value(old_url, left, pk=str(spoilt)) == "NO_IDENTIFIERS"
    assert rows(old_url, linked) == before
    # the indexes hold what is read now
    with writing(old_url) as conn:
        conn.exec_driver_sql("set local enable_seqscan = off")
        by_phone = 'from canon.identity_registry where scout.phone_key(primary_phone) collate "C"'
        plan = conn.exec_driver_sql(f"explain select 1 {by_phone} = '988877710'").scalars()
        assert "scout_registry_phone" in " ".join(plan)
        assert conn.exec_driver_sql(f"select 1 {by_phone} = '988877710'").scalar() == 1
        by_license = 'from canon.drivers_index where scout.license_key(license_norm) collate "C"'
        assert conn.exec_driver_sql(f"select 1 {by_license} = '00000000'").scalar() is None
    assert broken_at_all(now) == {}
    now.dispose()
