-- One row per date of a source row that can be one (1900..2199), as the Lima day that it falls on.
create or replace view scout.v_source_dates as
select
    'observational.lead_events' as source_table,
    e.source_pk,
    e.person_key,
    d.column_name,
    d.on_date
from scout.src_lead_events as e
cross join lateral (
    values ('event_date', e.event_on), ('created_at', scout.lima_date(e.created_at))
) as d (column_name, on_date)
where d.on_date is not null
union all
select
    'observational.lead_ledger' as source_table,
    l.person_key::text as source_pk,
    l.person_key,
    'updated_at' as column_name,
    scout.lima_date(scout.source_timestamp(l.updated_at)) as on_date
from observational.lead_ledger as l
where scout.source_timestamp(l.updated_at) is not null
union all
select
    'canon.identity_registry' as source_table,
    r.person_key::text as source_pk,
    r.person_key,
    'created_at' as column_name,
    scout.lima_date(scout.source_timestamp(r.created_at)) as on_date
from canon.identity_registry as r
where scout.source_timestamp(r.created_at) is not null
union all
select
    'public.module_ct_migrations' as source_table,
    m.source_pk,
    null as person_key,
    d.column_name,
    d.on_date
from scout.src_migrations as m
cross join lateral (
    values ('hire_date', m.hired_on), ('created_at', scout.lima_date(m.created_at))
) as d (column_name, on_date)
where d.on_date is not null
union all
select
    'public.module_ct_scouting_daily' as source_table,
    s.source_pk,
    null as person_key,
    d.column_name,
    d.on_date
from scout.src_scouting_daily as s
cross join lateral (
    values ('registration_date', s.registered_on), ('created_at', scout.lima_date(s.created_at))
) as d (column_name, on_date)
where d.on_date is not null
union all
select
    'public.module_ct_cabinet_payments' as source_table,
    p.source_pk,
    p.person_key,
    d.column_name,
    d.on_date
from scout.src_cabinet_payments as p
cross join lateral (
    values ('date', p.paid_on), ('created_at', scout.lima_date(p.created_at))
) as d (column_name, on_date)
where d.on_date is not null
union all
select
    'public.module_ct_cabinet_leads' as source_table,
    c.cabinet_lead_id::text as source_pk,
    null as person_key,
    'lead_created_at' as column_name,
    scout.lima_date(c.lead_created_at) as on_date
from scout.src_cabinet_leads as c
where c.lead_created_at is not null;
comment on column scout.v_source_dates.column_name is 'Column of the source table that holds the date.';
