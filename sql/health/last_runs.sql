-- name: take
with refreshes as materialized (
    select
        r.run_id,
        r.status_now as status,
        r.trigger,
        r.actor,
        r.started_at,
        r.completed_at,
        r.stats,
        r.error
    from scout.v_runs as r
    where r.job_type = 'scout_attribution_refresh'
    order by r.started_at desc, r.run_id desc
    limit 1000
),

places as (
    select
        'running' as place,
        (select max(r.run_id) from refreshes as r where r.status = 'RUNNING') as run_id
    union all
    select
        'last' as place,
        (select max(r.run_id) from refreshes as r where r.status <> 'RUNNING') as run_id
    union all
    select
        'completed' as place,
        (select max(r.run_id) from refreshes as r where r.status = 'COMPLETED') as run_id
    union all
    select
        'scheduled' as place,
        (select max(r.run_id) from refreshes as r where r.trigger = 'cron') as run_id
)

select
    p.place,
    r.run_id,
    r.status,
    r.trigger,
    r.actor,
    r.started_at,
    r.completed_at,
    case
        when r.status = 'COMPLETED' then
            coalesce(substring(r.stats #>> '{steps,link,changed}' from '^[0-9]{1,15}$')::bigint, 0)
            + coalesce(substring(r.stats #>> '{steps,propagate,changed}' from '^[0-9]{1,15}$')::bigint, 0)
    end as changed_rows,
    r.error,
    s.step
from places as p
inner join refreshes as r
    on r.run_id = p.run_id
left join lateral (
    select a.step
    from ops.job_runs_audit as a
    where p.place = 'running' and a.ingestion_run_id = r.run_id and a.event = 'STEP'
    order by a.id desc
    limit 1
) as s on true;

-- name: list_last
select
    r.run_id,
    r.status_now as status,
    r.trigger,
    r.actor,
    r.started_at,
    r.completed_at,
    case
        when r.status = 'COMPLETED' then
            coalesce(substring(r.stats #>> '{steps,link,changed}' from '^[0-9]{1,15}$')::bigint, 0)
            + coalesce(substring(r.stats #>> '{steps,propagate,changed}' from '^[0-9]{1,15}$')::bigint, 0)
    end as changed_rows,
    r.error,
    null::text as step
from scout.v_runs as r
where r.job_type = 'scout_attribution_refresh'
order by r.started_at desc, r.run_id desc
limit :row_limit;

-- name: is_read_only
-- What reads is in a read-only transaction of its own making: what others would get is asked.
select pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean;
