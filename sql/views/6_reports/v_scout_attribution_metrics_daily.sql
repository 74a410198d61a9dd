-- One row per Lima day, today and the 30 before. Days before the installation are reconstructed from
-- timestamps, later days without a run carry the last known values; both are marked is_estimated.
create or replace view ops.v_scout_attribution_metrics_daily as
with days as (
    select d.metric_date::date as metric_date
    from generate_series(scout.lima_date(now()) - 30, scout.lima_date(now()), interval '1 day') as d (metric_date)
),

today as materialized (
    select
        s.total_persons,
        s.persons_with_scout_satisfactory,
        s.persons_missing_scout,
        s.conflicts_count
    from ops.v_scout_attribution_metrics_snapshot as s
),

counted_days as materialized (
    select
        a.on_date,
        a.kind,
        a.person_count
    from scout.v_attribution_days as a
),

-- what was registered and attributed up to each day, as far as the timestamps tell
reconstructed as (
    select
        d.metric_date,
        coalesce(sum(c.person_count) filter (where c.kind = 'registered'), 0)::bigint as total_persons,
        coalesce(sum(c.person_count) filter (where c.kind = 'attributed'), 0)::bigint as satisfactory_count
    from days as d
    left join counted_days as c on c.on_date <= d.metric_date and c.kind in ('registered', 'attributed')
    group by d.metric_date
),

by_source as (
    select
        c.on_date,
        sum(c.person_count) filter (where c.kind = 'scouting_daily')::bigint as scouting_daily_count,
        sum(c.person_count) filter (where c.kind = 'cabinet_leads')::bigint as cabinet_leads_count,
        sum(c.person_count) filter (where c.kind = 'attributed')::bigint as lead_ledger_count
    from counted_days as c
    where c.on_date >= scout.lima_date(now()) - 30
    group by c.on_date
)

select
    d.metric_date,
    v.total_persons,
    v.satisfactory_count,
    round(100.0 * v.satisfactory_count / nullif(v.total_persons, 0), 2) as pct_satisfactory,
    v.missing_count,
    v.conflicts_count,
    coalesce(h.by_source_scouting_daily, b.scouting_daily_count, 0) as by_source_scouting_daily,
    coalesce(h.by_source_cabinet_leads, b.cabinet_leads_count, 0) as by_source_cabinet_leads,
    coalesce(h.by_source_lead_ledger, b.lead_ledger_count, 0) as by_source_lead_ledger,
    v.computed_at,
    v.is_estimated
from days as d
left join scout.metrics_history as h
    on h.metric_date = d.metric_date and d.metric_date < scout.lima_date(now())
left join by_source as b
    on b.on_date = d.metric_date
left join lateral (
    select
        k.total_persons,
        k.satisfactory_count,
        k.missing_count,
        k.conflicts_count,
        k.computed_at
    from scout.metrics_history as k
    where k.metric_date < d.metric_date
    order by k.metric_date desc
    limit 1
) as c on true
inner join reconstructed as r
    on r.metric_date = d.metric_date
cross join lateral (
    select
        t.total_persons,
        t.persons_with_scout_satisfactory as satisfactory_count,
        t.persons_missing_scout as missing_count,
        t.conflicts_count,
        now() as computed_at,
        false as is_estimated
    from today as t
    where d.metric_date = scout.lima_date(now())
    union all
    select
        h.total_persons,
        h.satisfactory_count,
        h.missing_count,
        h.conflicts_count,
        h.computed_at,
        false as is_estimated
    where h.metric_date is not null
    union all
    select
        c.total_persons,
        c.satisfactory_count,
        c.missing_count,
        c.conflicts_count,
        c.computed_at,
        true as is_estimated
    where d.metric_date < scout.lima_date(now()) and h.metric_date is null and c.total_persons is not null
    union all
    select
        r.total_persons,
        least(r.satisfactory_count, r.total_persons),
        greatest(r.total_persons - r.satisfactory_count, 0),
        null as conflicts_count,
        now() as computed_at,
        true as is_estimated
    where d.metric_date < scout.lima_date(now()) and h.metric_date is null and c.total_persons is null
) as v;
comment on column ops.v_scout_attribution_metrics_daily.is_estimated is
'True for days without a run of ours: before the installation reconstructed (conflicts null), later carried forward.';
comment on column ops.v_scout_attribution_metrics_daily.by_source_lead_ledger is 'Persons whose ledger row got its scout that day.';
comment on column ops.v_scout_attribution_metrics_daily.by_source_scouting_daily is 'Persons linked to a scouting row that day.';
comment on column ops.v_scout_attribution_metrics_daily.by_source_cabinet_leads is 'Persons linked to a cabinet lead that day.';
