-- One row per source row to look at for bad values: settled as touched, or still pending. row_id or person_key
-- where that is what an index of the source has, else source_pk.
create or replace view scout.v_rows_to_check as
with noted as (
    select
        c.source_table,
        c.source_pk
    from scout.rows_to_check as c
    where c.source_table <> '*'
    union
    select
        coalesce(p.source_table, 'lead_ledger') as source_table,
        coalesce(p.source_pk, p.person_key::text) as source_pk
    from scout.pending_persons as p
    where coalesce(p.source_pk, p.person_key::text) is not null
)

select
    'observational.lead_events' as source_table,
    n.source_pk,
    case when n.source_pk ~ '^[0-9]{1,18}$' then n.source_pk::bigint end as row_id,
    null::uuid as person_key
from noted as n
where n.source_table = 'lead_events'
union all
select
    'canon.identity_links' as source_table,
    l.id::text as source_pk,
    l.id as row_id,
    null::uuid as person_key
from noted as n
inner join canon.identity_links as l
    on l.source_table = n.source_table and l.source_pk = n.source_pk
union all
select
    t.source_table,
    n.source_pk,
    null::bigint as row_id,
    case when n.source_pk ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then n.source_pk::uuid end as person_key
from noted as n
cross join (values ('observational.lead_ledger'), ('canon.identity_registry')) as t (source_table)
where n.source_table in ('lead_ledger', 'identity_registry')
union all
select
    'public.' || n.source_table as source_table,
    n.source_pk,
    null::bigint as row_id,
    null::uuid as person_key
from noted as n
where n.source_table in (
    'module_ct_scouting_daily', 'module_ct_migrations', 'module_ct_cabinet_payments', 'module_ct_cabinet_leads'
);
