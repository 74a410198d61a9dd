-- A run is running exactly as long as it has no end (I3)
select
    r.id as run_id,
    r.status::text as status,
    r.completed_at
from ops.ingestion_runs as r
where r.job_type::text like 'scout_attribution_%'
    and (r.status = 'RUNNING') <> (r.completed_at is null);
