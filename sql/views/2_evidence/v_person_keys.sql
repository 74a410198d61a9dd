-- One row per licence and phone, as keys, under which a source knows a person. Personal data.
create or replace view scout.v_person_keys as
select
    r.person_key,
    'canon.identity_registry' as source_table,
    r.license_key,
    r.phone_key
from scout.src_registry_identifiers as r
union all
select
    l.person_key,
    'canon.drivers_index' as source_table,
    d.license_key,
    d.phone_key
from scout.src_drivers_index as d
inner join canon.identity_links as l
    on l.source_table = 'drivers' and l.source_pk = d.driver_id
union all
select
    p.person_key,
    'public.module_ct_scouting_daily' as source_table,
    p.license_key,
    p.phone_key
from scout.v_scouting_persons as p;
