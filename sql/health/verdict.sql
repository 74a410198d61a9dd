-- name: last_runs
-- newest by number: a clock that is set makes no run older
with newest as (
    (
        select r.run_id
        from scout.v_runs as r
        where r.job_type = 'scout_attribution_refresh'
        order by r.run_id desc
        limit 20
    )
    union
    (
        select r.run_id
        from scout.v_runs as r
        where r.job_type = 'scout_attribution_refresh' and r.status = 'COMPLETED'
        order by r.run_id desc
        limit 1
    )
    union
    select max(u.run_id) as run_id
    from scout.runs as u
    where u.trigger = 'cron' and u.kind = 'refresh'
)

select
    r.run_id,
    r.status_now as status,
    r.trigger,
    r.started_at,
    r.completed_at,
    r.error
from newest as n
inner join scout.v_runs as r
    on r.run_id = n.run_id
order by r.run_id desc;

-- name: scouts_list
-- One row: whether the list of scouts has entries and none of them can be read, so that no scout is known.
select coalesce(max(k.scout_id) = 0, false) as is_unreadable
from scout.v_known_scouts as k;

-- name: taken_run_number
select scout.taken_run_number();

-- name: recorded_today
select
    h.total_persons,
    h.satisfactory_count,
    h.lead_persons,
    h.satisfactory_lead_count,
    h.conflicts_count
from scout.metrics_history as h
where h.run_id = :run_id and h.metric_date = scout.lima_date(now());

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

-- name: newest_changes
select
    c.indicator,
    c.from_status,
    c.to_status,
    c.changed_at,
    c.value,
    c.run_id
from unnest(cast(:indicators as text[])) as i (indicator)
cross join lateral (
    select h.*
    from scout.health_changes as h
    where h.indicator = i.indicator
    order by h.id desc
    limit 1
) as c;

-- name: list_changes
select
    c.indicator,
    c.from_status,
    c.to_status,
    c.changed_at,
    c.value,
    c.run_id
from scout.health_changes as c
order by c.id desc
limit :row_limit;
