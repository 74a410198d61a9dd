-- One row per name that a source has of a person. Personal data.
create or replace view scout.v_person_names as
select
    r.person_key,
    'canon.identity_registry' as source_table,
    r.full_name
from scout.src_registry_identifiers as r
where r.full_name is not null
union all
select
    l.person_key,
    'canon.drivers_index' as source_table,
    d.full_name
from scout.src_driver_names as d
inner join canon.identity_links as l
    on l.source_table = 'drivers' and l.source_pk = d.driver_id
where d.full_name is not null
union all
select
    p.person_key,
    'public.module_ct_scouting_daily' as source_table,
    s.full_name
from scout.v_scouting_persons as p
inner join scout.src_scouting_names as s
    on s.source_pk = p.row_id::text
where s.full_name is not null;
