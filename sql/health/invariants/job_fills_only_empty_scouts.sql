-- The job only gave a scout to persons who had none (I6)
select
    a.id as audit_id,
    a.person_key,
    a.old_attributed_scout_id,
    a.new_attributed_scout_id,
    a.ingestion_run_id as run_id
from ops.lead_ledger_scout_backfill_audit as a
where a.backfill_method = 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS'
    and a.ingestion_run_id in (select r.run_id from scout.runs as r)
    and (a.old_attributed_scout_id is not null or a.new_attributed_scout_id is null);
