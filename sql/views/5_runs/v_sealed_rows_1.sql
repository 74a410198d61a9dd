-- One row per row that seals of form 1 cover, with the text that is hashed. Never changed, or old seals break.
create or replace view scout.v_sealed_rows_1 as
select
    'identity_links_backfill_audit' as table_name,
    l.id::bigint as id,
    l.ingestion_run_id as run_id,
    row(
        l.id, l.source_table, l.source_pk, l.person_key, l.driver_id, l.match_method, l.match_confidence, l.match_score,
        l.evidence_json, l.action_type, l.backfill_timestamp, l.ingestion_run_id, l.actor, l.notes
    )::text as row_text
from ops.identity_links_backfill_audit as l
union all
select
    'lead_ledger_scout_backfill_audit',
    g.id::bigint,
    g.ingestion_run_id,
    row(
        g.id, g.person_key, g.old_attributed_scout_id, g.new_attributed_scout_id, g.attribution_rule_old,
        g.attribution_rule_new, g.attribution_confidence_old, g.attribution_confidence_new, g.evidence_json_old,
        g.evidence_json_new, g.backfill_method, g.backfill_timestamp, g.ingestion_run_id, g.actor, g.notes,
        g.is_new_row, g.attributed_source_old, g.attributed_source_new, g.attribution_score_old,
        g.attribution_score_new, g.decision_status_old, g.decision_status_new, g.updated_at_old, g.updated_at_new
    )::text
from ops.lead_ledger_scout_backfill_audit as g
union all
select
    'lead_events_scout_backfill_audit',
    e.id::bigint,
    e.ingestion_run_id,
    row(
        e.id, e.lead_event_id, e.person_key, e.old_scout_id, e.new_scout_id, e.source_table, e.source_pk,
        e.backfill_method, e.backfill_timestamp, e.ingestion_run_id, e.actor, e.notes
    )::text
from ops.lead_events_scout_backfill_audit as e
union all
-- the end of a run was written with its seal, or after it
select
    'job_runs_audit',
    j.id::bigint,
    j.ingestion_run_id,
    row(j.id, j.ingestion_run_id, j.event, j.step, j.details, j.actor, j.recorded_at)::text
from ops.job_runs_audit as j
where j.event in ('STARTED', 'STEP', 'BATCH')
union all
select
    'runs',
    u.run_id::bigint,
    u.run_id,
    row(
        u.run_id, u.kind, u.trigger, u.actor, u.reason, u.request_id, u.is_forced, u.host, u.process_id, u.version,
        u.requested_at
    )::text
from scout.runs as u
union all
select
    'decisions',
    d.decision_id,
    d.run_id,
    row(
        d.decision_id, d.person_key, d.outcome, d.scout_id, d.considered_scout_ids, d.reason_code, d.note, d.actor,
        d.run_id, d.ledger_scout_id_before, d.decided_at
    )::text
from scout.decisions as d;
