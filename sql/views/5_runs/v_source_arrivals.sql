-- One row per source and Lima day of the last 60: how many rows arrived, and the newest. Older rows are one row
-- of the day before those; rows without a time of arrival, or of the future, are in none.
create or replace view scout.v_source_arrivals as
with first_day as materialized (
    select (scout.lima_date(now()) - 60)::timestamp at time zone 'America/Lima' as begins_at
)

select
    h.source_table,
    scout.lima_date(h.begins_at) as on_date,
    sum(h.row_count)::bigint as row_count,
    max(h.newest_at) as newest_at
from (
    -- by hour first: a Lima day is made of whole hours, and what takes time is to find the day of every row
    select
        a.source_table,
        greatest(date_bin('1 hour', a.arrived_at, '2000-01-01 00:00:00+00'), f.begins_at) as begins_at,
        count(*) as row_count,
        max(a.arrived_at) as newest_at
    from (
        select
            'observational.lead_ledger' as source_table,
            scout.source_timestamp(l.updated_at) as arrived_at
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
    cross join first_day as f
    where a.arrived_at <= now()
    group by
        a.source_table,
        greatest(date_bin('1 hour', a.arrived_at, '2000-01-01 00:00:00+00'), f.begins_at)
) as h
group by h.source_table, scout.lima_date(h.begins_at);
comment on column scout.v_source_arrivals.on_date is 'Lima day of arrival, no earlier than 60 days ago.';
