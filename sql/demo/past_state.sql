-- What the product would have kept by now: who asked for the past runs and their seals, decisions,
-- holds, and the numbers of the past 30 days as the timestamps of the rows tell them.
insert into scout.runs (
    run_id,
    kind,
    trigger,
    actor,
    reason,
    host,
    process_id,
    version,
    requested_at
)
select
    r.id,
    case when r.job_type = 'scout_attribution_decision' then 'decision' else 'refresh' end,
    case when r.job_type = 'scout_attribution_decision' then 'manual' else 'cron' end,
    case when r.job_type = 'scout_attribution_decision' then 'analista.demo' else 'cron' end,
    case when r.job_type = 'scout_attribution_decision' then 'Nobody brought these persons.' end,
    'demo',
    1,
    s.version,
    r.started_at
from ops.ingestion_runs as r
cross join demo_settings as s
where r.job_type::text like 'scout_attribution_%';

insert into ops.job_runs_audit (ingestion_run_id, event, details, actor, recorded_at)
select
    r.id,
    e.event,
    case when e.event = 'FAILED' then jsonb_build_object('reason', r.error_message) end,
    u.actor,
    case when e.event = 'STARTED' then r.started_at else r.completed_at end
from scout.runs as u
inner join ops.ingestion_runs as r on u.run_id = r.id
cross join lateral (values (1, 'STARTED'), (2, r.status::text)) as e (position, event)
order by r.started_at, e.position;

insert into scout.decisions (
    person_key,
    outcome,
    considered_scout_ids,
    reason_code,
    note,
    actor,
    run_id,
    decided_at
)
select
    m.person_key,
    'NO_SCOUT',
    case when m.scout_id is null then '{}'::integer[] else array[m.scout_id] end,
    'NOT_BROUGHT_BY_A_SCOUT',
    'Demo: the person came without a scout.',
    u.actor,
    u.run_id,
    r.completed_at
from demo_marks as m
inner join scout.runs as u on u.kind = 'decision'
inner join ops.ingestion_runs as r on u.run_id = r.id
where m.cohort <> 'd_held'
order by m.person_key;

insert into scout.holds (subject, person_key, reason, actor, held_at)
select
    'person',
    m.person_key,
    'Demo: the scout given by a run was undone.',
    'operador.demo',
    s.today - 5 + time '09:30'
from demo_marks as m
cross join demo_settings as s
where m.cohort = 'd_held'
order by m.person_key;

-- Each seal is chained to the one before, in the order of the runs' ends.
do $$
declare
    run record;
begin
    for run in
        select u.run_id, r.completed_at
        from scout.runs as u
        inner join ops.ingestion_runs as r on u.run_id = r.id
        where r.status = 'COMPLETED'
        order by r.completed_at, u.run_id
    loop
        insert into scout.seals (run_id, row_count, covered_run_ids, content_hash, sealed_at)
        select
            c.run_id,
            c.row_count,
            array[c.run_id],
            encode(sha256(convert_to(concat_ws('|', 'run', c.run_id, c.content_hash), 'UTF8')), 'hex'),
            run.completed_at
        from scout.run_contents(array[run.run_id]) as c;
    end loop;
end
$$;

insert into scout.metrics_history (
    metric_date,
    total_persons,
    satisfactory_count,
    missing_count,
    conflicts_count,
    lead_persons,
    satisfactory_lead_count,
    by_source_scouting_daily,
    by_source_cabinet_leads,
    by_source_lead_ledger,
    run_id,
    computed_at
)
with
leads as (
    select e.person_key
    from observational.lead_events as e
    where e.person_key is not null
    union
    select l.person_key
    from canon.identity_links as l
    where
        l.source_table in (
            'module_ct_scouting_daily', 'module_ct_migrations', 'module_ct_cabinet_leads'
        )
),

persons as (
    select
        scout.lima_date(r.created_at) as since,
        case when g.attributed_scout_id is not null then scout.lima_date(g.updated_at) end
            as satisfactory_since,
        l.person_key is not null as is_lead
    from canon.identity_registry as r
    left join leads as l on r.person_key = l.person_key
    left join observational.lead_ledger as g on r.person_key = g.person_key
),

-- One row per day of a person's coming or attribution.
changes as (
    select
        greatest(p.since, s.today - 31) as on_date,
        1 as persons,
        0 as satisfactory,
        p.is_lead::integer as leads,
        0 as satisfactory_leads
    from persons as p
    cross join demo_settings as s
    union all
    select
        greatest(p.satisfactory_since, s.today - 31),
        0,
        1,
        0,
        p.is_lead::integer
    from persons as p
    cross join demo_settings as s
    where p.satisfactory_since is not null
),

days as (
    select
        c.on_date,
        sum(sum(c.persons)) over (order by c.on_date) as persons,
        sum(sum(c.satisfactory)) over (order by c.on_date) as satisfactory,
        sum(sum(c.leads)) over (order by c.on_date) as leads,
        sum(sum(c.satisfactory_leads)) over (order by c.on_date) as satisfactory_leads
    from changes as c
    group by c.on_date
),

newest_runs as (
    select
        scout.lima_date(r.completed_at) as on_date,
        max(r.id) as run_id
    from ops.ingestion_runs as r
    where r.job_type = 'scout_attribution_refresh' and r.status = 'COMPLETED'
    group by scout.lima_date(r.completed_at)
)

select
    s.today - g.days_ago,
    d.persons,
    d.satisfactory,
    d.persons - d.satisfactory,
    2 + mod(abs(hashint8extended(g.days_ago, s.seed)), 4),
    d.leads,
    d.satisfactory_leads,
    coalesce(b.scouting_daily_count, 0),
    coalesce(b.cabinet_leads_count, 0),
    coalesce(b.lead_ledger_count, 0),
    n.run_id,
    s.today - g.days_ago + time '20:00'
from demo_settings as s
cross join generate_series(1, 30) as g (days_ago)
cross join lateral (
    select c.*
    from days as c
    where c.on_date <= s.today - g.days_ago
    order by c.on_date desc
    limit 1
) as d
left join scout.v_attributed_by_day as b on s.today - g.days_ago = b.on_date
left join newest_runs as n on s.today - g.days_ago = n.on_date
order by g.days_ago desc;
