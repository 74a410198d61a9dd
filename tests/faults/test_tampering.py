"""The audit only grows: nobody of ours changes it, and what a superuser changes is found."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scout_core.db.database import Database
from scout_core.errors import BadInput
from scout_core.health import invariants
from tests.support import databases
from tests.support.job import (
    at_point,
    broken_at_all,
    do,
    key,
    refresh,
    rows,
    run_states,
    story,
    value,
    writing,
)
from tests.support.state import fingerprint

AUDITS = {
    "ops.identity_links_backfill_audit": "notes = 'x'",
    "ops.lead_ledger_scout_backfill_audit": "notes = 'x'",
    "ops.lead_events_scout_backfill_audit": "notes = 'x'",
    "ops.job_runs_audit": "step = 'x'",
    "scout.seals": "row_count = 0",
    "scout.decisions": "note = 'x'",
    "scout.runs": "reason = 'x'",
}
INSUFFICIENT_PRIVILEGE = "42501"
LEDGER = "ops.lead_ledger_scout_backfill_audit"
LINKS = "ops.identity_links_backfill_audit"


@pytest.fixture(scope="module")
def audited_template(server_url: str) -> Iterator[str]:
    """The name of a database after three runs with effects, all of them sealed."""
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        database = Database(url)
        for tag in ("", "b", "c"):
            story(url, tag)
            refresh(database)
        assert broken_at_all(database) == {}
        database.dispose()
        yield value(url, "select current_database()")


@pytest.fixture
def audited_url(server_url: str, audited_template: str) -> Iterator[str]:
    """URL of a copy of that database."""
    with databases.clone(server_url, audited_template) as url:
        yield url


@pytest.fixture
def audited(audited_url: str) -> Iterator[Database]:
    """The same, as the product opens it."""
    database = Database(audited_url)
    yield database
    database.dispose()


@pytest.mark.parametrize("role", ["scout_writer", "scout_reader", "scout_owner", None])
def test_nobody_may_update_delete_or_empty_an_audit_table(audited_url: str, role: str | None):
    """None is the login, here a superuser: the trigger refuses it too."""
    before = fingerprint(audited_url, *AUDITS)
    allowed = []
    for table, change in AUDITS.items():
        for statement in (
            f"update {table} set {change}",
            f"delete from {table}",
            f"truncate {table}",
            f"truncate {table} cascade",
        ):
            with writing(audited_url) as conn:
                if role is not None:
                    conn.exec_driver_sql(f"set local role {role}")
                else:
                    conn.exec_driver_sql("set local session_replication_role = replica")
                attempt = conn.begin_nested()
                try:
                    conn.exec_driver_sql(statement)
                    allowed.append(statement)
                except DBAPIError as exc:
                    if getattr(exc.orig, "pgcode", None) != INSUFFICIENT_PRIVILEGE:
                        raise
                attempt.rollback()
    assert allowed == []
    assert fingerprint(audited_url, *AUDITS) == before


def test_writer_may_add_to_the_audit_and_reader_may_not(audited_url: str):
    row = f"insert into {LEDGER} (person_key, actor) values ('{key('ana')}', 'x')"
    with writing(audited_url) as conn:
        conn.exec_driver_sql("set local role scout_writer")
        attempt = conn.begin_nested()
        assert conn.execute(text(row)).rowcount == 1
        attempt.rollback()
        conn.exec_driver_sql("set local role scout_reader")
        with pytest.raises(DBAPIError, match="permission denied"):
            conn.exec_driver_sql(row)


def tamper(url: str, table: str, *statements: str) -> None:
    """As a superuser who switches the protection off and on again."""
    do(
        url,
        f"alter table {table} disable trigger scout_append_only",
        *statements,
        f"alter table {table} enable always trigger scout_append_only",
    )


MIDDLE = "where run_id = (select min(run_id) + 1 from scout.seals)"
SWAP = f"""
    with pair as (
        select id, person_key, new_attributed_scout_id,
            lead(id) over (order by id) as next_id, row_number() over (order by id) as place
        from {LEDGER} where ingestion_run_id is not null
    ), two as (select id, next_id from pair where place = 1)
    update {LEDGER} as a set
        person_key = b.person_key, new_attributed_scout_id = b.new_attributed_scout_id,
        evidence_json_old = b.evidence_json_old, evidence_json_new = b.evidence_json_new,
        is_new_row = b.is_new_row, attribution_score_old = b.attribution_score_old,
        attribution_score_new = b.attribution_score_new, updated_at_old = b.updated_at_old,
        updated_at_new = b.updated_at_new, decision_status_old = b.decision_status_old,
        backfill_timestamp = b.backfill_timestamp,
        attribution_confidence_old = b.attribution_confidence_old
    from two join {LEDGER} as b on b.id in (two.id, two.next_id)
    where a.id in (two.id, two.next_id) and a.id <> b.id"""
TAMPERINGS = {
    "edited scout": (LEDGER, f"update {LEDGER} set new_attributed_scout_id = 99 where id = 2"),
    "edited actor": (LINKS, f"update {LINKS} set actor = 'nobody' where id = 2"),
    "edited time": (LINKS, f"update {LINKS} set backfill_timestamp = now() where id = 2"),
    "edited change by others": (
        LEDGER,
        f"update {LEDGER} set actor = 'nobody' where id = (select min(id) from {LEDGER}"
        " where backfill_method = 'EXTERNAL_CHANGE')",
    ),
    "deleted scout": (LEDGER, f"delete from {LEDGER} where id = 2"),
    "deleted link": (LINKS, f"delete from {LINKS} where id = 1"),
    "deleted reason": (LINKS, f"delete from {LINKS} where action_type = 'SKIPPED' and id < 6"),
    "inserted into a run": (
        LINKS,
        f"insert into {LINKS} (source_table, source_pk, action_type, ingestion_run_id, actor)"
        " values ('module_ct_scouting_daily', '999', 'SKIPPED', 1, 'olga')",
    ),
    "reordered": (LEDGER, SWAP),
    "emptied ledger audit": (LEDGER, f"truncate {LEDGER}"),
    "emptied links audit": (LINKS, f"truncate {LINKS}"),
    "edited log of a run": (
        "ops.job_runs_audit",
        "update ops.job_runs_audit set actor = 'nobody' where ingestion_run_id = 2",
    ),
    "deleted step of a run": (
        "ops.job_runs_audit",
        "delete from ops.job_runs_audit where ingestion_run_id = 2 and step = 'link'",
    ),
    "edited asker of a run": ("scout.runs", "update scout.runs set actor = 'x' where run_id = 2"),
    "edited seal": ("scout.seals", f"update scout.seals set row_count = 1 {MIDDLE}"),
    "edited seal time of chain": (
        "scout.seals",
        f"update scout.seals set previous_hash = '' {MIDDLE}",
    ),
    "deleted seal": ("scout.seals", f"delete from scout.seals {MIDDLE}"),
    "deleted first seal": (
        "scout.seals",
        "delete from scout.seals where seal_no = (select min(seal_no) from scout.seals)",
    ),
    "inserted seal": (
        "scout.seals",
        "insert into scout.seals (run_id, row_count, covered_run_ids, content_hash)"
        " values (9, 0, '{}', encode(sha256(''), 'hex'))",
    ),
    "inserted seal of the older form": (
        "scout.seals",
        "insert into scout.seals (form_no, run_id, row_count, covered_run_ids, content_hash,"
        " previous_hash, seal_hash) select 1, 1, 0, '{}', c.content_hash,"
        " p.seal_hash, scout.seal_hash(1, 0, c.content_hash, p.seal_hash)"
        " from scout.audit_content('{}', '{}') as c cross join"
        " (select seal_hash from scout.seals order by seal_no desc limit 1) as p",
    ),
    "emptied seals": ("scout.seals", "truncate scout.seals"),
}


@pytest.mark.sampled(7)
@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_is_found(audited: Database, audited_url: str, what: str):
    table, statement = TAMPERINGS[what]
    before = fingerprint(audited_url, table)
    tamper(audited_url, table, statement)
    assert fingerprint(audited_url, table) != before
    assert broken_at_all(audited).keys() & {"seals_hold", "runs_are_sealed"}


def test_later_run_hides_no_tampering(audited: Database, audited_url: str):
    tamper(audited_url, *TAMPERINGS["deleted seal"])
    tamper(audited_url, *TAMPERINGS["edited actor"])
    before = broken_at_all(audited)
    refresh(audited)
    assert broken_at_all(audited) == before


def test_protection_left_off_is_found(audited: Database, audited_url: str):
    do(audited_url, f"alter table {LEDGER} disable trigger scout_append_only")
    assert [r["table_name"] for r in broken_at_all(audited)["audit_is_append_only"]] == [LEDGER]
    assert "objects_are_as_shipped" in broken_at_all(audited)
    do(audited_url, f"alter table {LEDGER} enable trigger scout_append_only")
    # not "always": a session in replica mode would pass
    assert "audit_is_append_only" in broken_at_all(audited)
    do(audited_url, f"alter table {LEDGER} enable always trigger scout_append_only")
    assert broken_at_all(audited) == {}


def test_right_to_change_the_audit_is_found(audited: Database, audited_url: str):
    do(audited_url, f"grant update on {LINKS} to scout_writer")
    assert "audit_is_append_only" in broken_at_all(audited)


def test_scout_changed_behind_the_tracking_is_found(audited: Database, audited_url: str):
    with writing(audited_url) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.exec_driver_sql(
            "update observational.lead_ledger set attributed_scout_id = 99"
            f" where person_key = '{key('ana')}'"
        )
    (row,) = broken_at_all(audited)["ledger_equals_its_audit"]
    assert (row["person_key"], row["audited_scout_id"], row["ledger_scout_id"]) == (
        key("ana"),
        7,
        99,
    )


def test_newest_run_taken_away_is_known_by_its_published_seal(audited: Database, audited_url: str):
    """Nothing inside the database can show it: the copy of the seal outside does."""
    with writing(audited_url) as conn:
        conn.exec_driver_sql("update canon.identity_registry set updated_at = updated_at")
    published = refresh(audited).stats["seal"]
    newest = value(audited_url, "select max(run_id) from scout.seals")
    tamper(audited_url, "scout.seals", f"delete from scout.seals where run_id = {newest}")
    tamper(
        audited_url,
        "ops.job_runs_audit",
        f"delete from ops.job_runs_audit where ingestion_run_id = {newest}",
    )
    tamper(
        audited_url,
        "scout.runs",
        f"update scout.metrics_history set run_id = null where run_id = {newest}",
        f"delete from ops.ingestion_runs where id = {newest}",
    )
    tamper(audited_url, "scout.runs", f"delete from scout.runs where run_id = {newest}")
    do(audited_url, "delete from scout.unsealed_rows")
    assert broken_at_all(audited) == {}
    kept = invariants.seal_is_known(audited, published["sha256"])
    assert (kept.result.holds, kept.place) == (False, None)


REBUILD = """
do $$
declare
    seal scout.seals;
begin
    for seal in select * from scout.seals order by seal_no loop
        seal.content_hash := encode(sha256(convert_to((
            select string_agg(p.line, e'\\n' order by p.place, p.name collate "C")
            from (
                select 1 as place, '' as name,
                    concat_ws('|', 'run', c.run_id, c.content_hash) as line
                from scout.run_contents(seal.covered_run_ids) as c
                union all
                select 2, t.key, concat_ws('|', 'rows', t.key, c.row_count, c.content_hash)
                from jsonb_each(seal.covered_rows) as t
                cross join lateral scout.row_contents(
                    t.key, array(select x::bigint from jsonb_array_elements(t.value) as x)
                ) as c
            ) as p
        ), 'UTF8')), 'hex');
        seal.previous_hash := coalesce((
            select s.seal_hash from scout.seals as s where s.seal_no < seal.seal_no
            order by s.seal_no desc limit 1
        ), '');
        update scout.seals as s
        set content_hash = seal.content_hash, previous_hash = seal.previous_hash,
            seal_hash = encode(sha256(convert_to(scout.seal_text(seal), 'UTF8')), 'hex')
        where s.seal_no = seal.seal_no;
    end loop;
end $$"""


def test_chain_that_was_made_anew_is_known_by_a_published_seal(audited: Database, audited_url: str):
    """Whoever owns the database can reckon every seal anew, with the product's own functions."""
    published = value(
        audited_url, "select seal_hash from scout.seals order by seal_no desc limit 1"
    )
    assert invariants.seal_is_known(audited, published).result.holds
    tamper(audited_url, *TAMPERINGS["edited actor"])
    assert broken_at_all(audited).keys() == {"seals_hold"}
    tamper(audited_url, "scout.seals", REBUILD)
    assert broken_at_all(audited) == {}
    assert not invariants.seal_is_known(audited, published).result.holds
    new = value(audited_url, "select seal_hash from scout.seals order by seal_no desc limit 1")
    assert invariants.seal_is_known(audited, new).result.holds


@pytest.mark.parametrize(
    "lie",
    [
        "create or replace function scout.run_contents(run_ids integer[]) returns table (run_id"
        " integer, row_count bigint, content_hash text) language sql stable"
        " as $$ select 1, 0, '' $$",
        "create or replace view scout.v_sealed_rows as select table_name, id, run_id,"
        " 'what it was'::text as row_text from (values ('x', 1::bigint, 1)) as x"
        " (table_name, id, run_id)",
    ],
)
def test_edit_under_a_replaced_function_or_view_is_found_all_the_same(
    audited: Database, audited_url: str, lie: str
):
    tamper(audited_url, *TAMPERINGS["edited actor"])
    before = broken_at_all(audited)["seals_hold"]
    do(audited_url, lie)
    now = broken_at_all(audited)
    assert now["seals_hold"] == before
    assert "objects_are_as_shipped" in now


def test_verify_says_where_a_kept_seal_is(audited: Database, audited_url: str):
    hashes = [h for (h,) in rows(audited_url, "select seal_hash from scout.seals order by seal_no")]
    kept = invariants.seal_is_known(audited, f" {hashes[-1].upper()} ")
    assert kept.place is not None
    assert (kept.place.newer_seals, kept.place.newer_runs) == (0, 0)
    first = invariants.seal_is_known(audited, hashes[0]).place
    assert first is not None
    assert (first.seal_no, first.run_id, first.newer_seals, first.newer_runs) == (
        1,
        1,
        len(hashes) - 1,
        2,
    )
    for wrong in ("", "abc", hashes[0][:-1], hashes[0][:-1] + "g"):
        with pytest.raises(BadInput, match="64 hexadecimal digits"):
            invariants.seal_is_known(audited, wrong)


def test_tampering_with_committed_batches_of_a_failed_run_is_found(
    db: Database, db_url: str, monkeypatch
):
    def fails() -> None:
        raise KeyboardInterrupt

    story(db_url)
    at_point(monkeypatch, "before commit", fails)
    with pytest.raises(KeyboardInterrupt):
        refresh(db, environ={"SCOUT_RUN_MAX_ROWS": "2"})
    refresh(db)
    if broken_at_all(db) or run_states(db_url)[0] != ("FAILED", "interrupted"):
        raise RuntimeError("the case is not what it is said to be")
    tamper(db_url, LINKS, f"update {LINKS} set actor = 'nobody' where ingestion_run_id = 1")
    assert broken_at_all(db) != {}


@pytest.mark.parametrize("run_id", ["999999", "null"])
def test_audit_row_of_a_run_that_never_was_is_found(
    audited: Database, audited_url: str, run_id: str
):
    do(
        audited_url,
        f"insert into {LINKS} (source_table, source_pk, action_type, ingestion_run_id, actor)"
        f" values ('module_ct_scouting_daily', '999', 'CREATED', {run_id}, 'olga')",
    )
    assert broken_at_all(audited) != {}
