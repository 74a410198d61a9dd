"""What a database holds, to compare before and after, or with another database."""

from typing import Any

from sqlalchemy import text

from tests.support.job import writing

Effects = dict[str, list[tuple[Any, ...]]]

# What a run is for. Left out: run ids, times and serial numbers, which differ between equal runs.
EFFECTS = {
    "ledger": """
        select person_key::text, attributed_scout_id, attribution_rule, attributed_source,
            attribution_score::text, confidence_level::text, decision_status::text,
            (evidence_json #- '{scout_backfill,run_id}')::text
        from observational.lead_ledger""",
    "registry": """
        select person_key::text, primary_license, primary_phone, (flags - 'run_id')::text
        from canon.identity_registry""",
    "links": """
        select source_table, source_pk, person_key::text, match_rule, match_score,
            confidence_level::text, (evidence - 'run_id')::text
        from canon.identity_links""",
    "unmatched": """
        select source_pk, reason_code, status::text, details::text, candidates_preview::text
        from canon.identity_unmatched""",
    "ledger audit": """
        select person_key::text, old_attributed_scout_id, new_attributed_scout_id,
            backfill_method, is_new_row,
            coalesce(
                (select k.evidence from scout.ledger_evidence_kept as k where k.audit_id = id),
                evidence_json_old
            )::text,
            row_number() over (partition by person_key order by id)
        from ops.lead_ledger_scout_backfill_audit""",
    "link audit": """
        select source_pk, action_type, match_method, person_key::text
        from ops.identity_links_backfill_audit""",
    "issues": """
        select source_table, source_pk, rule, raw_hash from scout.data_quality_issues
        where closed_at is null""",
    "metrics": """
        select total_persons, satisfactory_count, missing_count, conflicts_count, lead_persons,
            by_source_scouting_daily, by_source_lead_ledger
        from scout.metrics_history""",
}

NAMES = """
    select n.nspname || '.' || c.relname from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind = :kind
        and (c.relpersistence = 'p' or not pg_is_in_recovery())
        and n.nspname in ('canon', 'observational', 'ops', 'public', 'scout')
    order by 1"""


CONTENT = """coalesce(string_agg(concat_ws('|', t.ctid, t.xmin, t.xmax, t::text), chr(10)
    order by t.ctid), '')"""


def effects(url: str) -> Effects:
    """Every effect of the runs so far, in a form that equal histories share."""
    with writing(url) as conn:
        return {
            name: sorted(map(tuple, conn.execute(text(q))), key=repr) for name, q in EFFECTS.items()
        }


def fingerprint(url: str, *tables: str) -> dict[str, Any]:
    """Each table (all of them, or those named), row by row with who wrote and locked it and where
    it lies; with all of them, each sequence too."""
    with writing(url) as conn:
        names = tables or tuple(conn.scalars(text(NAMES), {"kind": "r"}))
        parts = [f"select '{n}', md5({CONTENT}) || ' ' || count(*) from {n} as t" for n in names]
        if not tables:
            parts += [
                f"select '{n}', concat_ws(' ', last_value, is_called) from {n}"
                for n in conn.scalars(text(NAMES), {"kind": "S"})
            ]
        whole = conn.execution_options(no_parameters=True)
        return dict(tuple(row) for row in whole.exec_driver_sql(" union all ".join(parts)))
