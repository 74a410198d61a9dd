-- name: list_arrivals
select
    a.source_table,
    a.newest_at,
    a.rows_of_day,
    a.looked_at
from scout.source_arrivals as a;

-- name: count_persons
select
    n.source_table,
    sum(t.person_count)::bigint as person_count
from scout.v_attribution_totals as t
inner join (
    values
    (1, 'observational.lead_ledger'),
    (2, 'observational.lead_events'),
    (3, 'public.module_ct_migrations'),
    (4, 'public.module_ct_scouting_daily'),
    (5, 'public.module_ct_cabinet_payments')
) as n (priority, source_table)
    on n.priority = t.best_priority
group by n.source_table;
