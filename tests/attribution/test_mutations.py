"""Planted faults: a change of one rule in the SQL each, found by the comparison with the model."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from scout_core.db import sql
from scout_core.errors import ScoutError
from tests.model.harness import Harness

STATES = "views/2_evidence/v_person_attribution_live.sql"
FACTS = "views/2_evidence/v_facts.sql"
EVENTS = "views/1_sources/src_lead_events.sql"
IDENTITY = "views/5_runs/v_identity_candidates.sql"
PROPAGATE = "job/refresh/propagate_scouts.sql"
# Those first that find most faults, so that the suite stays quick.
SEEDS = (1, 3, 4, 0, 2, *range(5, 12))


@dataclass(frozen=True)
class Fault:
    """A fault by name: files of sql/ with the text to replace and what replaces it."""

    name: str
    edits: tuple[tuple[str, str, str], ...]
    script: str = "play"


def fault(name: str, path: str, old: str, new: str, *more: tuple[str, str, str]) -> Fault:
    return Fault(name, ((path, old, new), *more))


FAULTS = (
    fault(
        "a scout in the ledger is overwritten",
        "views/5_runs/v_propagation_candidates.sql",
        "where p.reason_code = 'WAITING_FOR_NEXT_RUN'",
        "where p.scout_min = p.scout_max and p.event_scout_min is distinct from p.ledger_scout_id"
        " and p.event_scout_min is not null and not p.has_unreadable_scout",
        (PROPAGATE, "where l.attributed_scout_id is null\n", ""),
        (PROPAGATE, " and l.attributed_scout_id is null", ""),
    ),
    fault(
        "one scout or more is enough",
        STATES,
        "when p.event_scout_min <> p.event_scout_max then 'SEVERAL_SCOUTS'",
        "",
        (STATES, "when p.scout_min <> p.scout_max then 'OTHER_SOURCE_DISAGREES'", ""),
    ),
    fault(
        "other sources are ignored",
        STATES,
        "when p.scout_min <> p.scout_max then 'OTHER_SOURCE_DISAGREES'",
        "",
    ),
    fault(
        "unreadable is taken for absent",
        STATES,
        "when p.has_unreadable_scout then 'UNREADABLE_SCOUT'",
        "",
    ),
    fault(
        "unknown scouts are written",
        "views/5_runs/v_propagation_candidates.sql",
        " and not u.is_unlisted",
        "",
    ),
    fault(
        "held persons are written",
        STATES,
        "when exists (select from scout.v_held_persons as h where h.person_key = p.person_key)"
        " then 'HELD_AFTER_UNDO'",
        "",
    ),
    fault(
        "decisions are overwritten",
        STATES,
        "when d.decision_id is not null then 'DECIDED_NO_SCOUT'",
        "",
    ),
    fault(
        "older evidence contradicts the ledger",
        STATES,
        "and coalesce(e.created_at > coalesce(w.got_at, t.updated_at), true)",
        "",
        (STATES, "and e.since > coalesce(w.got_at, t.updated_at)\n", "\n"),
        (STATES, "and o.since <= coalesce(w.got_at, t.updated_at)", "and false"),
    ),
    fault(
        "days are those of UTC",
        FACTS,
        "scout.lima_date(scout.source_timestamp(l.updated_at))",
        "(scout.source_timestamp(l.updated_at) at time zone 'UTC')::date",
    ),
    fault(
        "an unknown person_key is a person",
        FACTS,
        "\nwhere exists (select from canon.identity_registry as r where r.person_key = p.person",
        "\nwhere (p.person_key is not null or p.person_key = p.person",
    ),
    fault(
        "payload text is cast to a number",
        EVENTS,
        "scout.parse_scout_id(scout.read_payload(e.payload_json) ->> 'scout_id')",
        "(e.payload_json ->> 'scout_id')::integer",
    ),
    fault(
        "the payload is ignored",
        EVENTS,
        "scout.parse_scout_id(scout.read_payload(e.payload_json) ->> 'scout_id')",
        "null::integer",
    ),
    fault(
        "a shared phone is linked to one of its persons",
        IDENTITY,
        "license_count >= 2 or n.person_count >= 2 then",
        "license_count >= 2 then",
    ),
    fault(
        "a phone of somebody else does not stop a license",
        IDENTITY,
        "when cardinality(r.stated_person_keys) > 0",
        "when false",
    ),
    fault(
        "batches link a row before its person is made",
        IDENTITY,
        "greatest(j.first_row_id, j.row_id), j.first_row_id <> j.row_id, j.row_id",
        "j.row_id",
    ),
    fault(
        "a row linked under its older key is linked again",
        "views/2_evidence/v_scouting_older_links.sql",
        "where l.source_table = 'module_ct_scouting_daily'\n",
        "where false\n",
    ),
    fault(
        "the plan does not know the links of the same run",
        "views/5_runs/v_planned_scouts.sql",
        "l.scout_id <> c.scout_id",
        "false",
    ),
    fault(
        "new ledger rows have no audit row",
        PROPAGATE,
        "from inserted as i\n",
        "from inserted as i where false\n",
    ),
    fault(
        "the audit has the new value as the old one",
        PROPAGATE,
        "u.person_key, u.old_scout_id, u.attributed_scout_id",
        "u.person_key, u.attributed_scout_id, u.attributed_scout_id",
    ),
    fault(
        "every run writes its reasons again",
        "views/5_runs/v_identity_candidates.sql",
        "or u.reason_code <> w.reason_code) as is_new_reason",
        "or u.status = 'OPEN') as is_new_reason",
    ),
    fault(
        "a ledger row that somebody adds is not noted",
        "schema/025_reloads.sql",
        "            from new_rows as n\n            having count(*) > 0;",
        "            from new_rows as n\n            having false;",
    ),
    fault(
        "a phone is the last nine digits of anything",
        "schema/023_keys.sql",
        "~ '^(\\+|00)?(51)?0?9[0-9]{8}$'",
        "~ '9[0-9]{8}$'",
    ),
    fault(
        "a word of waiting is a licence",
        "schema/023_keys.sql",
        "'^.*(TRA?MITE|PENDIENTE|NINGU?N|NOTIENE|SIN|CONFIRMAR|PROCESO|FALTA|XX).*$'",
        "'^$'",
    ),
    fault(
        "a licence of several phones founds a person",
        IDENTITY,
        "when r.is_license_ambiguous then 'AMBIGUOUS_LICENSE'",
        "when r.license_person_count >= 2 then 'AMBIGUOUS_LICENSE'",
    ),
    fault(
        "a link stays with the number of its row",
        "schema/024_row_content.sql",
        "return kept is null or kept = shown;",
        "return kept is null or kept = shown or true;",
    ),
    fault(
        "the scout of the ledger dates from the write",
        STATES,
        "and (a.is_new_row or a.updated_at_new is distinct from a.updated_at_old)",
        "and false",
    ),
    fault(
        "what is in the ledger again after a transaction counts as changed",
        "schema/025_reloads.sql",
        "        where t.attributed_scout_id is distinct from l.attributed_scout_id\n",
        "",
    ),
)

FAULTS_OF_DECISIONS = tuple(
    Fault(name, ((path, old, new),), script="play_decisions")
    for name, path, old, new in (
        (
            "undo without value check",
            "views/5_runs/v_undo_persons.sql",
            "        when b.is_changed then 'CHANGED_LATER'\n",
            "",
        ),
        (
            "a decision is over for good once somebody else wrote",
            "views/2_evidence/v_decisions_in_force.sql",
            "where d.outcome <> 'REOPEN'\n",
            "where d.outcome <> 'REOPEN'\n    and not exists (select from"
            " ops.lead_ledger_scout_backfill_audit as a where a.person_key = d.person_key and"
            " a.backfill_method = 'EXTERNAL_CHANGE' and a.backfill_timestamp > d.decided_at)\n",
        ),
        (
            "decision without evidence check",
            "decide/decisions/decide_persons.sql",
            " and s.seen = a.seen",
            "",
        ),
        (
            "undone persons are not held",
            "decide/undo/undo_persons.sql",
            "    from undone as u\n    where not exists",
            "    from undone as u\n    where false and not exists",
        ),
        (
            "an undo has no audit row",
            "decide/undo/undo_persons.sql",
            "inner join restored as r on r.person_key = i.person_key",
            "inner join restored as r on false",
        ),
        (
            "an undone decision leaves none before it",
            "decide/undo/undo_persons.sql",
            "on b.outcome <> 'REOPEN'",
            "on false and b.outcome <> 'REOPEN'",
        ),
        (
            "a reopening leaves the ledger as it is",
            "decide/decisions/reopen_persons.sql",
            "attributed_scout_id = p.ledger_scout_id_before",
            "attributed_scout_id = p.old_scout_id",
        ),
        (
            "a link that was taken away is not held",
            "decide/undo/undo_links.sql",
            "    from deleted as d\n    where d.source_pk not in",
            "    from deleted as d\n    where false and d.source_pk not in",
        ),
    )
)


@pytest.fixture
def sql_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of sql/ that the product reads its statements from during the test."""
    root = tmp_path / "sql"
    shutil.copytree(sql.ROOT, root)
    monkeypatch.setattr(sql, "ROOT", root)
    _forget_statements()
    yield root
    _forget_statements()


def _forget_statements() -> None:
    for cached in (sql.statement, sql.query, sql.queries):
        cached.cache_clear()


def plant(planted: Fault, root: Path, url: str) -> None:
    """Change the files, and in the database what was made from them."""
    for path, old, new in planted.edits:
        body = (root / path).read_text(encoding="utf-8")
        assert body.count(old) == 1, f"{path} no longer has once: {old}"
        (root / path).write_text(body.replace(old, new), encoding="utf-8")
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    with connection, connection.cursor() as cursor:
        for path in {
            path for path, _, _ in planted.edits if path.startswith(("views/", "schema/"))
        }:
            new = (root / path).read_text(encoding="utf-8")
            for statement in _definitions(new):
                cursor.execute(statement)
    connection.close()


def _definitions(body: str) -> list[str]:
    """The view of a file, or its functions."""
    if "create or replace view" in body:
        return [body]
    functions = re.findall(
        r"^create (?:or replace )?function [^;]*?(?:as \$\$.*?^\$\$;|^return[^;]*;)",
        body,
        re.MULTILINE | re.DOTALL,
    )
    return [re.sub("^create function", "create or replace function", f) for f in functions]


def is_found(harness: Harness, seed: int, script: str) -> bool:
    """True when the comparison, an invariant or the database itself objects."""
    try:
        getattr(harness, script)(seed)
    except (AssertionError, ScoutError, psycopg2.Error):
        return True
    return False


@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    "planted", FAULTS + FAULTS_OF_DECISIONS, ids=lambda f: f.name.replace(" ", "_")
)
def test_planted_fault_is_found(planted: Fault, sql_root: Path, db_url: str) -> None:
    plant(planted, sql_root, db_url)
    harness = Harness(db_url)
    try:
        found = next((seed for seed in SEEDS if is_found(harness, seed, planted.script)), None)
        assert found is not None, "the model does not see this fault"
    finally:
        harness.close()


def test_product_without_a_fault_passes_the_same_scripts(sql_root: Path, db_url: str) -> None:
    harness = Harness(db_url)
    try:
        for seed in SEEDS[:4]:
            harness.play(seed)
        for seed in SEEDS[:3]:
            harness.play_decisions(seed)
    finally:
        harness.close()


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_product_without_a_fault_passes_long_scripts(sql_root: Path, db_url: str) -> None:
    harness = Harness(db_url)
    try:
        for seed in range(200):
            harness.play(seed, rounds=6)
            harness.play_decisions(seed, steps=60)
    finally:
        harness.close()
