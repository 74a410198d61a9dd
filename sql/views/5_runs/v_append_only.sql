-- One row per table that only grows. run_column: where a run seals its own rows; null = its rows wait for a refresh.
create or replace view scout.v_append_only as
select
    t.table_name,
    t.id_column,
    t.run_column
from (
    values
    ('ops.identity_links_backfill_audit', 'id', 'ingestion_run_id'),
    ('ops.lead_ledger_scout_backfill_audit', 'id', 'ingestion_run_id'),
    ('ops.lead_events_scout_backfill_audit', 'id', 'ingestion_run_id'),
    ('ops.job_runs_audit', 'id', 'ingestion_run_id'),
    ('scout.runs', 'run_id', 'run_id'),
    ('scout.decisions', 'decision_id', 'run_id'),
    ('scout.erased_persons', 'id', 'run_id'),
    ('scout.alert_events', 'event_id', 'run_id'),
    ('scout.health_changes', 'id', 'run_id'),
    ('scout.outbox', 'message_id', 'run_id'),
    ('scout.delivery_log', 'id', null),
    ('scout.quality_results', 'id', null),
    ('scout.denials', 'id', null),
    ('scout.export_audit', 'id', null),
    ('scout.token_events', 'event_id', null),
    ('scout.seals', 'seal_no', null)
) as t (table_name, id_column, run_column);
