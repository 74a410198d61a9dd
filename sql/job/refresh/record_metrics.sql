-- Writes today's row of the metrics history, and what the days since the last one still got by source.
with by_day as materialized (
    select
        d.on_date,
        d.scouting_daily_count,
        d.cabinet_leads_count,
        d.lead_ledger_count
    from scout.v_attributed_by_day as d
    where d.on_date >= coalesce(
        (select max(h.metric_date) from scout.metrics_history as h where h.metric_date < scout.lima_date(now())),
        scout.lima_date(now())
    )
),

completed as (
    update scout.metrics_history as h
    set
        by_source_scouting_daily = d.scouting_daily_count,
        by_source_cabinet_leads = d.cabinet_leads_count,
        by_source_lead_ledger = d.lead_ledger_count
    from by_day as d
    where h.metric_date = d.on_date
        and h.metric_date < scout.lima_date(now())
        and (h.by_source_scouting_daily, h.by_source_cabinet_leads, h.by_source_lead_ledger)
        is distinct from (d.scouting_daily_count, d.cabinet_leads_count, d.lead_ledger_count)
    returning h.metric_date
)

insert into scout.metrics_history as h (
    metric_date, total_persons, satisfactory_count, missing_count, conflicts_count, lead_persons, satisfactory_lead_count,
    by_source_scouting_daily, by_source_cabinet_leads, by_source_lead_ledger, run_id, computed_at
)
select
    scout.lima_date(now()),
    s.total_persons,
    s.persons_with_scout_satisfactory,
    s.persons_missing_scout,
    s.conflicts_count,
    s.lead_persons,
    s.satisfactory_lead_persons,
    coalesce(d.scouting_daily_count, 0),
    coalesce(d.cabinet_leads_count, 0),
    coalesce(d.lead_ledger_count, 0),
    :run_id,
    now()
from ops.v_scout_attribution_metrics_snapshot as s
left join by_day as d on d.on_date = scout.lima_date(now())
on conflict (metric_date) do update
    set
        total_persons = excluded.total_persons,
        satisfactory_count = excluded.satisfactory_count,
        missing_count = excluded.missing_count,
        conflicts_count = excluded.conflicts_count,
        lead_persons = excluded.lead_persons,
        satisfactory_lead_count = excluded.satisfactory_lead_count,
        by_source_scouting_daily = excluded.by_source_scouting_daily,
        by_source_cabinet_leads = excluded.by_source_cabinet_leads,
        by_source_lead_ledger = excluded.by_source_lead_ledger,
        run_id = excluded.run_id,
        computed_at = excluded.computed_at
returning
    h.total_persons,
    h.satisfactory_count,
    h.missing_count,
    h.conflicts_count,
    h.lead_persons,
    h.satisfactory_lead_count;
