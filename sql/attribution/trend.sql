-- name: list_days
select
    d.metric_date,
    d.total_persons,
    d.satisfactory_count,
    d.pct_satisfactory,
    case
        when d.metric_date < scout.lima_date(now())
            then round(100.0 * h.satisfactory_lead_count / nullif(h.lead_persons, 0), 2)
        else (select s.pct_scout_satisfactory_leads from ops.v_scout_attribution_metrics_snapshot as s)
    end as pct_satisfactory_leads,
    d.missing_count,
    d.conflicts_count,
    d.by_source_scouting_daily,
    d.by_source_cabinet_leads,
    d.by_source_lead_ledger,
    d.is_estimated
from ops.v_scout_attribution_metrics_daily as d
left join lateral (
    select
        m.satisfactory_lead_count,
        m.lead_persons
    from scout.metrics_history as m
    where m.metric_date <= d.metric_date
    order by m.metric_date desc
    limit 1
) as h on true
order by d.metric_date;

-- name: list_past_days
select
    d.metric_date,
    d.total_persons,
    d.satisfactory_count,
    d.pct_satisfactory,
    null::numeric as pct_satisfactory_leads,
    d.missing_count,
    d.conflicts_count,
    d.by_source_scouting_daily,
    d.by_source_cabinet_leads,
    d.by_source_lead_ledger,
    d.is_estimated
from ops.v_scout_attribution_metrics_daily as d
where d.metric_date > scout.lima_date(now()) - cast(:day_count as integer)
union all
select
    h.metric_date,
    h.total_persons,
    h.satisfactory_count,
    round(100.0 * h.satisfactory_count / nullif(h.total_persons, 0), 2),
    round(100.0 * h.satisfactory_lead_count / nullif(h.lead_persons, 0), 2),
    h.missing_count,
    h.conflicts_count,
    h.by_source_scouting_daily,
    h.by_source_cabinet_leads,
    h.by_source_lead_ledger,
    false
from scout.metrics_history as h
where h.metric_date < scout.lima_date(now()) - 30
    and h.metric_date > scout.lima_date(now()) - cast(:day_count as integer)
order by metric_date;

-- name: list_marks
select
    r.run_id,
    r.started_at,
    r.status,
    r.actor,
    r.error,
    r.is_forced,
    r.run_id = f.run_id as is_first
from scout.v_runs as r
cross join (
    select min(v.run_id) as run_id
    from scout.v_runs as v
    where v.job_type = 'scout_attribution_refresh' and v.actor is not null
) as f
where r.job_type = 'scout_attribution_refresh'
    and r.started_at >= cast(:since as timestamptz)
    and (r.status = 'FAILED' or r.is_forced or r.run_id = f.run_id)
order by r.started_at desc, r.run_id desc
limit :row_limit;

-- name: funnel
select
    coalesce(sum(t.person_count), 0)::bigint as registered,
    coalesce(sum(t.person_count) filter (where t.is_lead), 0)::bigint as leads,
    coalesce(sum(t.person_count) filter (where t.is_lead and (t.names_scout or t.category is null)), 0)::bigint as named,
    coalesce(sum(t.person_count) filter (where t.is_lead and t.category is null), 0)::bigint as in_ledger
from scout.v_attribution_totals as t;

-- name: claims
with claims as materialized (
    select
        c.resolved_person_key as person_key,
        c.expected_amount,
        c.is_unpaid
    from scout.v_claims as c
),

persons as materialized (
    select
        p.person_key,
        p.is_lead and p.ledger_scout_id is not null as is_in_ledger,
        p.ledger_scout_id is not null or p.scout_min is not null as has_scout,
        p.conflict_kind is not null as is_conflict
    from scout.v_person_attribution as p
    where p.ledger_scout_id is not null or p.scout_min is not null or p.conflict_kind is not null
)

select
    count(*) as claims,
    count(*) filter (where p.has_scout) as with_scout,
    count(distinct c.person_key) filter (where p.is_in_ledger) as persons_in_ledger,
    coalesce(sum(c.expected_amount) filter (where p.is_conflict and c.is_unpaid), 0) as at_stake_pen,
    coalesce(sum(c.expected_amount) filter (where c.is_unpaid), 0) as unpaid_pen
from claims as c
left join persons as p
    on p.person_key = c.person_key;
