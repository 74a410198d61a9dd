-- name: last_runs
select
    r.run_id,
    r.status,
    r.started_at,
    r.completed_at,
    r.error
from scout.v_runs as r
where r.job_type = 'scout_attribution_refresh'
order by r.started_at desc, r.run_id desc
limit 20;

-- name: history
select
    h.metric_date,
    h.total_persons,
    h.satisfactory_count,
    h.lead_persons,
    h.satisfactory_lead_count,
    h.conflicts_count
from scout.metrics_history as h
where h.metric_date < scout.lima_date(cast(:now as timestamptz))
order by h.metric_date desc
limit 366;
