-- One row per source and Lima day of the last 60: how many rows arrived, and the newest. Older rows are one row
-- of the day before those; rows without a time of arrival, or of the future, are in none.
create or replace view scout.v_source_arrivals as
select
    a.source_table,
    greatest(scout.lima_date(a.arrived_at), scout.lima_date(now()) - 60) as on_date,
    count(*) as row_count,
    max(a.arrived_at) as newest_at
from (
    select
        'observational.lead_ledger' as source_table,
        scout.sane_timestamp(l.updated_at) as arrived_at
    from observational.lead_ledger as l
    union all
    select
        'observational.lead_events' as source_table,
        e.created_at as arrived_at
    from scout.src_lead_events as e
    union all
    select
        'public.module_ct_scouting_daily' as source_table,
        s.created_at as arrived_at
    from scout.src_scouting_daily as s
    union all
    select
        'public.module_ct_migrations' as source_table,
        m.created_at as arrived_at
    from scout.src_migrations as m
    union all
    select
        'public.module_ct_cabinet_payments' as source_table,
        p.created_at as arrived_at
    from scout.src_cabinet_payments as p
    union all
    select
        'public.module_ct_cabinet_leads' as source_table,
        c.lead_created_at as arrived_at
    from scout.src_cabinet_leads as c
) as a
where a.arrived_at <= now()
group by a.source_table, greatest(scout.lima_date(a.arrived_at), scout.lima_date(now()) - 60);
comment on column scout.v_source_arrivals.on_date is 'Lima day of arrival, no earlier than 60 days ago.';
