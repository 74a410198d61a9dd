-- Runs of the past: one decision of an analyst on several persons, and, unless the first refresh would
-- then be stopped by the guard, a refresh every four hours of the past week, one of which failed.
insert into ops.ingestion_runs (
    started_at,
    completed_at,
    status,
    stats,
    error_message,
    job_type
)
select
    p.started_at,
    p.started_at + p.took,
    (case when p.is_failed then 'FAILED' else 'COMPLETED' end)::public.runstatus,
    p.stats::json,
    case when p.is_failed then 'The database took longer than a run may take and was stopped.' end,
    p.job_type::public.jobtype
from (
    select
        s.today - 7 + g.slot * interval '4 hours' as started_at,
        interval '3 seconds' + mod(g.slot, 5) * interval '1 second' as took,
        g.slot = 23 as is_failed,
        'scout_attribution_refresh' as job_type,
        case
            when g.slot <> 23
                then '{"steps": {"link": {"seen": 0, "changed": 0}, "propagate": {"seen": 0, "changed": 0}}}'
        end as stats
    from demo_settings as s
    cross join generate_series(0, 42) as g (slot)
    where s.has_past_refreshes
    union all
    select
        s.today - 10 + time '10:15',
        interval '1 second',
        false,
        'scout_attribution_decision',
        '{"steps": {}}'
    from demo_settings as s
) as p
order by p.started_at;
