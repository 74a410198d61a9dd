-- One row per person and row of the owner's tables that names it or says something of it. tie: LINK, EVENT, PAYMENT,
-- DRIVER, or SAME_KEY (a scouting row without a link that shows a licence or phone under which the person is known).
create or replace view scout.v_person_source_rows as
select
    s.person_key,
    'public.module_ct_scouting_daily' as source_table,
    s.row_id::text as source_pk,
    'LINK' as tie
from scout.v_scouting_persons as s
union all
select
    k.person_key,
    'public.' || k.source_table as source_table,
    k.source_pk::text as source_pk,
    'LINK' as tie
from canon.identity_links as k
where k.source_table <> 'module_ct_scouting_daily'
union all
select
    e.person_key,
    'observational.lead_events' as source_table,
    e.source_pk,
    'EVENT' as tie
from scout.src_lead_events as e
where e.person_key is not null and e.has_payload
union all
select
    p.person_key,
    'public.module_ct_cabinet_payments' as source_table,
    p.source_pk,
    'PAYMENT' as tie
from scout.src_cabinet_payments as p
where p.person_key is not null
union all
select
    k.person_key,
    'canon.drivers_index' as source_table,
    d.driver_id as source_pk,
    'DRIVER' as tie
from canon.identity_links as k
inner join scout.src_drivers_index as d on d.driver_id = k.source_pk
where k.source_table = 'drivers'
union
select
    n.person_key,
    'public.module_ct_scouting_daily' as source_table,
    s.source_pk,
    'SAME_KEY' as tie
from scout.v_person_keys as n
cross join lateral (
    select l.source_pk from scout.src_scouting_daily as l
    where l.license_key = n.license_key
    union
    select f.source_pk from scout.src_scouting_daily as f
    where f.phone_key = n.phone_key
) as s
where exists (
    select from scout.v_unlinked_rows_live as u
    where u.source_pk = s.source_pk
);
