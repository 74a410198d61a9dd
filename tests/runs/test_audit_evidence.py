"""What the owner wrote into evidence_json never enters the audit, and comes back by an undo."""

import json
from typing import Any

import pytest

from scout_core.attribution import fingerprint
from scout_core.db.database import LOOK, Database
from scout_core.decide import decisions, undo
from tests.support import factories as new
from tests.support.job import (
    OPERATOR,
    broken,
    crowd,
    decide,
    do,
    key,
    refresh,
    rows,
    scouts,
    story,
    value,
    writing,
)

SECRET = "912345678"
OWNERS: dict[str, Any] = {
    "object": {"phone": SECRET, "driver": {"name": "Ana Quispe", "phones": [SECRET]}, "n": 1},
    "array": [SECRET, {"name": "Ana Quispe"}],
    "string": f"Ana Quispe {SECRET}",
    "number": int(SECRET),
    "ours with more": {"scout_backfill": {"run_id": 1, "phone": SECRET}},
    "ours as text": {"scout_decision": f"Ana Quispe {SECRET}"},
    "ours and more": {"scout_decision": {"run_id": 1}, "phone": SECRET},
    "a hash of theirs": {"left_out_sha256": SECRET, "scout_backfill": {"rule": "X"}},
}
LEDGER = (
    "select person_key, to_jsonb(l) - 'updated_at' from observational.lead_ledger as l order by 1"
)
KEPT = "select evidence from scout.ledger_evidence_kept order by audit_id"


def plant(url: str, evidence_json: Any) -> None:
    """Ana waits for scout 7 and has what the owner wrote; so has Dora, whose scout stands."""
    story(url)
    do(
        url,
        f"update observational.lead_ledger set evidence_json = '{json.dumps(evidence_json)}'",
    )


def audit_text(url: str) -> str:
    """All that the audit tables, seals and runs hold, as text."""
    tables = [
        "ops.identity_links_backfill_audit",
        "ops.lead_ledger_scout_backfill_audit",
        "ops.lead_events_scout_backfill_audit",
        "ops.job_runs_audit",
        "ops.ingestion_runs",
        "scout.seals",
        "scout.runs",
        "scout.decisions",
    ]
    return "\n".join(str(row) for t in tables for row in rows(url, f"select t::text from {t} as t"))


def is_silent(url: str) -> bool:
    told = audit_text(url)
    return SECRET not in told and "Quispe" not in told


@pytest.mark.sampled(3)
@pytest.mark.parametrize("owners", OWNERS)
def test_refresh_and_undo_leave_the_owners_evidence_out_and_give_it_back(
    db: Database, db_url: str, owners: str
):
    plant(db_url, OWNERS[owners])
    before = rows(db_url, LEDGER)
    run_id = refresh(db).run_id
    assert scouts(db_url)[key("ana")] == 7
    assert is_silent(db_url)
    assert rows(db_url, KEPT) == [(OWNERS[owners],)]
    done = undo.run_undo(db, actor=OPERATOR, run_id=run_id, reason="loaded twice on Monday")
    assert (done.ledger_rows, done.changed_later) == (2, 0)
    assert rows(db_url, LEDGER) == before
    assert is_silent(db_url)
    assert broken(db) == {}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("owners", OWNERS)
def test_decision_and_reopening_give_it_back(db: Database, db_url: str, owners: str):
    plant(db_url, OWNERS[owners])
    with writing(db_url) as conn:
        new.lead_event(conn, person=key("ana"), scout=9)
    refresh(db)
    before = rows(db_url, LEDGER)
    decide(db, "ana", 9)
    assert scouts(db_url)[key("ana")] == 9
    assert is_silent(db_url)
    person = str(key("ana"))
    with db.transaction(LOOK) as conn:
        seen = fingerprint.seen_of(conn, [person])[person]
    decisions.decide(
        db,
        actor=OPERATOR,
        person_key=person,
        outcome="REOPEN",
        reason_code="OTHER",
        note="the other one has shown the form",
        seen=seen,
    )
    assert rows(db_url, LEDGER) == before
    assert is_silent(db_url)
    assert broken(db) == {}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("owners", OWNERS)
@pytest.mark.parametrize(
    "change",
    [
        "update observational.lead_ledger set attributed_scout_id = 11",
        "delete from observational.lead_ledger",
        "truncate observational.lead_ledger",
    ],
)
def test_what_others_change_is_noted_without_it(
    db: Database, db_url: str, owners: str, change: str
):
    plant(db_url, OWNERS[owners])
    with writing(db_url) as conn:
        crowd(conn)
    do(db_url, change)
    assert is_silent(db_url)
    changed = 2 if "update" in change else 1
    assert rows(db_url, KEPT) == [(OWNERS[owners],)] * changed
    refresh(db, force=True, reason="the ledger was emptied", environ={"SCOUT_GUARD_MAX_PCT": "100"})
    assert is_silent(db_url)
    assert broken(db) == {}


def test_evidence_of_ours_alone_is_audited_whole_and_kept_nowhere(db: Database, db_url: str):
    story(db_url)
    do(db_url, "update observational.lead_ledger set evidence_json = null")
    run_id = refresh(db).run_id
    ledger = rows(
        db_url,
        "select l.evidence_json = a.evidence_json_new from observational.lead_ledger as l"
        " join ops.lead_ledger_scout_backfill_audit as a using (person_key)"
        " where a.ingestion_run_id = :run",
        run=run_id,
    )
    assert ledger == [(True,), (True,)]
    decide(db, "carla", 7)
    assert value(db_url, "select count(*) from scout.ledger_evidence_kept") == 0
    assert "left_out" not in audit_text(db_url)


def test_hash_says_nothing_to_who_tries_every_phone(db: Database, db_url: str):
    """Two persons with the same evidence have other hashes, and none is that of the value alone."""
    plant(db_url, {"phone": SECRET})
    with writing(db_url) as conn:
        new.ledger(conn, person=key("beto"), evidence_json=json.dumps({"phone": SECRET}))
    refresh(db)
    hashes = rows(
        db_url,
        "select evidence_json_old ->> 'left_out_sha256',"
        " encode(sha256(convert_to('{\"phone\": \"912345678\"}', 'UTF8')), 'hex')"
        " from ops.lead_ledger_scout_backfill_audit where backfill_method <> 'EXTERNAL_CHANGE'",
    )
    found = [h for h, _ in hashes if h]
    assert len(set(found)) == 2
    assert not set(found) & {plain for _, plain in hashes}


def test_what_is_kept_is_no_readers_business_and_tampering_is_found(db: Database, db_url: str):
    plant(db_url, {"phone": SECRET})
    run_id = refresh(db).run_id
    privileges = (
        "select has_table_privilege('scout_reader', 'scout.ledger_evidence_kept', 'select'),"
        " has_table_privilege('scout_writer', 'scout.ledger_evidence_kept', 'select')"
    )
    assert rows(db_url, privileges) == [(False, True)]
    do(db_url, 'update scout.ledger_evidence_kept set evidence = \'{"phone": "1"}\'')
    assert set(broken(db)) == {"kept_evidence_is_as_audited"}
    # what was put there instead is given to nobody
    done = undo.run_undo(db, actor=OPERATOR, run_id=run_id, reason="loaded twice on Monday")
    assert (done.ledger_rows, done.changed_later) == (1, 1)
    assert scouts(db_url)[key("ana")] == 7
    do(db_url, "delete from scout.ledger_evidence_kept")
    assert set(broken(db)) == {"kept_evidence_is_as_audited"}


def test_audit_row_of_an_older_version_is_undone_as_before(db: Database, db_url: str):
    """It holds the owner's evidence whole; the row that takes it back does not."""
    plant(db_url, {"phone": SECRET})
    before = rows(db_url, LEDGER)
    run_id = refresh(db).run_id
    do(
        db_url,
        "alter table ops.lead_ledger_scout_backfill_audit disable trigger scout_append_only",
        "update ops.lead_ledger_scout_backfill_audit as a set evidence_json_old = k.evidence,"
        " evidence_json_new = l.evidence_json from scout.ledger_evidence_kept as k,"
        " observational.lead_ledger as l where k.audit_id = a.id and l.person_key = a.person_key",
        "alter table ops.lead_ledger_scout_backfill_audit enable always trigger scout_append_only",
        "delete from scout.ledger_evidence_kept",
        "update scout.schema_files set applied_at = now() where version = 20",
    )
    done = undo.run_undo(db, actor=OPERATOR, run_id=run_id, reason="loaded twice on Monday")
    assert (done.ledger_rows, done.changed_later) == (2, 0)
    assert rows(db_url, LEDGER) == before
    taken_back = rows(
        db_url,
        "select a.evidence_json_new ? 'left_out_sha256', k.evidence ? 'scout_backfill'"
        " from ops.lead_ledger_scout_backfill_audit as a"
        " left join scout.ledger_evidence_kept as k on k.audit_id = a.id"
        " where a.backfill_method = 'REVERT' and a.person_key = :ana",
        ana=key("ana"),
    )
    assert taken_back == [(True, True)]
    assert "kept_evidence_is_as_audited" not in broken(db)
    assert "audit_evidence_is_keys" not in broken(db)


def test_keys_that_steps_write_are_those_that_the_audit_keeps(db: Database, db_url: str):
    """A key that a step adds to evidence has to be added to scout.is_audit_evidence too."""
    story(db_url)
    refresh(db)
    decide(db, "carla", 7)
    written = rows(
        db_url,
        "select scout.is_audit_evidence(evidence_json - 'kept'), count(*)"
        " from observational.lead_ledger where evidence_json is not null group by 1",
    )
    assert written == [(True, 3)]


def test_link_that_somebody_annotated_is_taken_back_without_the_note(db: Database, db_url: str):
    story(db_url)
    run_id = refresh(db).run_id
    do(
        db_url,
        f'update canon.identity_links set evidence = evidence || \'{{"phone": "{SECRET}"}}\'',
    )
    undo.run_undo(db, actor=OPERATOR, run_id=run_id, reason="loaded twice on Monday")
    assert is_silent(db_url)
    assert value(
        db_url,
        "select bool_and(evidence_json ? 'has_license')"
        " from ops.identity_links_backfill_audit where action_type = 'REVERTED'",
    )
