-- A failed run has no effects but those of batches that it had committed whole (I2)
select
    r.id as run_id,
    r.error_message::text as reason
from ops.ingestion_runs as r
where r.status = 'FAILED'
    and r.job_type::text like 'scout_attribution_%'
    and not exists (
        select from ops.job_runs_audit as j
        where j.ingestion_run_id = r.id and j.event = 'BATCH'
    )
    and (
        exists (select from ops.identity_links_backfill_audit as a where a.ingestion_run_id = r.id)
        or exists (select from ops.lead_ledger_scout_backfill_audit as a where a.ingestion_run_id = r.id)
        or exists (select from scout.decisions as d where d.run_id = r.id)
        or exists (select from scout.v_run_seals as s where s.run_id = r.id)
    );
