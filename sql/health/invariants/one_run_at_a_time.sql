-- At most one run of a job is running (I1)
select
    r.job_type::text as job_type,
    count(*) as running_count,
    array_agg(r.id order by r.id) as run_ids
from ops.ingestion_runs as r
where r.status = 'RUNNING' and r.job_type::text like 'scout_attribution_%'
group by r.job_type
having count(*) > 1;
