"""Invariants that hold whatever the model says: queries of the rows that break one."""

from scout_core.db import sql

STATE_CHECKS = ("persons_are_as_recomputed", "totals_are_counts", "unlinked_rows_are_as_recomputed")
BROKEN = {
    **{
        f"I20 {name}": (sql.ROOT / "health" / "invariants" / f"{name}.sql")
        .read_text(encoding="utf-8")
        .rstrip(";\n")
        for name in STATE_CHECKS
    },
    "I4 a link of ours without the audit row of its transaction, or the other way round": """
        select l.source_pk, a.id from canon.identity_links as l
        full join ops.identity_links_backfill_audit as a
            on a.source_table = l.source_table and a.source_pk = l.source_pk
            and a.person_key = l.person_key and a.match_method = l.match_rule
            and a.ingestion_run_id = l.run_id and a.xmin::text = l.xmin::text
        where (l.match_rule like 'BACKFILL%' and a.id is null)
            or (l.id is null and a.action_type = 'CREATED' and not exists (
                select from ops.identity_links_backfill_audit as v
                where v.action_type = 'REVERTED' and scout.reverted_id(v.notes) = a.id))""",
    "I5 a scout in the ledger that is not the one of its newest audit row": """
        select l.person_key from observational.lead_ledger as l
        cross join lateral (
            select a.new_attributed_scout_id from ops.lead_ledger_scout_backfill_audit as a
            where a.person_key = l.person_key order by a.id desc limit 1
        ) as a
        where a.new_attributed_scout_id is distinct from l.attributed_scout_id""",
    "I6 the job wrote where the ledger had a scout": """
        select id from ops.lead_ledger_scout_backfill_audit
        where backfill_method like 'BACKFILL%' and old_attributed_scout_id is not null""",
    "an audit row whose old values are not those that the ledger had": """
        select id from ops.lead_ledger_scout_backfill_audit
        where backfill_method like 'BACKFILL%' and (
            coalesce(is_new_row, false) <> (evidence_json_old is null
                and attribution_confidence_old is null)
            or exists (
                select from scout.ledger_evidence_kept as k
                where k.audit_id = id and not coalesce(
                    k.evidence ? 'old' and evidence_json_old ? 'left_out_sha256'
                    and evidence_json_new ? 'left_out_sha256', false)))""",
    "a run that is not over": "select id from ops.ingestion_runs where status = 'RUNNING'"
    " or (completed_at is null)",
}
AFTER_A_RUN = """
    select a.id from ops.lead_ledger_scout_backfill_audit as a
    left join observational.lead_ledger as l
        on l.person_key = a.person_key and l.xmin::text = a.xmin::text
    where a.ingestion_run_id = (select max(r.id) from ops.ingestion_runs as r)
        and (l.person_key is null
            or l.attributed_scout_id is distinct from a.new_attributed_scout_id)"""
CLAIMS = """
    select md5(string_agg(t.line, '|' order by t.line)) from (
        select xmin::text || xmax::text || ctid::text || c::text from public.peer_claims as c
        union all
        select xmin::text || xmax::text || ctid::text || p::text
        from public.module_ct_cabinet_payments as p
    ) as t (line)"""
OPEN_ISSUES = """
    select distinct rule, source_table, source_pk from scout.data_quality_issues
    where closed_at is null"""
