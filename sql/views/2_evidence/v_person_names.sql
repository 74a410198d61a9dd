-- One row per name that a source has of a person; none of one who was erased. Personal data.
create or replace view scout.v_person_names as
select
    r.person_key,
    'canon.identity_registry' as source_table,
    r.full_name
from scout.src_registry_identifiers as r
where r.full_name is not null
    and r.person_key not in (select x.person_key from scout.erased_persons as x)
union all
select
    l.person_key,
    'canon.drivers_index' as source_table,
    d.full_name
from scout.src_driver_names as d
inner join canon.identity_links as l
    on l.source_table = 'drivers' and l.source_pk = d.driver_id
where d.full_name is not null
    and l.person_key not in (select x.person_key from scout.erased_persons as x)
union all
select
    p.person_key,
    'public.module_ct_scouting_daily' as source_table,
    s.full_name
from scout.v_scouting_persons as p
inner join scout.src_scouting_names as s
    on s.source_pk = p.row_id::text
where s.full_name is not null
    and p.person_key not in (select x.person_key from scout.erased_persons as x);
