-- One row per run of ours of any kind, as ops.ingestion_runs has it and who asked for it. Times in UTC.
create or replace view scout.v_runs as
select
    r.id as run_id,
    r.job_type::text as job_type,
    s.kind,
    s.trigger,
    s.actor,
    s.reason,
    s.is_forced,
    s.host,
    s.process_id,
    s.version,
    s.request_id,
    r.status::text as status,
    r.started_at,
    r.completed_at,
    r.stats,
    r.error_message::text as error,
    case
        when r.status = 'RUNNING' and scout.is_lost(r.job_type::text) then 'LOST'
        else r.status::text
    end as status_now
from ops.ingestion_runs as r
left join scout.runs as s
    on s.run_id = r.id
where r.job_type in ('scout_attribution_refresh', 'scout_attribution_undo', 'scout_attribution_decision');
comment on column scout.v_runs.status_now is
'As status, but LOST where the row says RUNNING and nobody works on it: its process is gone, the next start closes it as FAILED.';
comment on column scout.v_runs.actor is 'Null when the row was not written by this product.';
