-- One row per scouting row with the name that the scout wrote down; null where the table has no such column.
-- source: public.module_ct_scouting_daily
-- name: present
create or replace view scout.src_scouting_names as
select
    scout.read_key(s.id) as source_pk,
    n.driver_name::text as full_name
from public.module_ct_scouting_daily as s
cross join (values (null::text)) as stand_in (driver_name)
cross join lateral (select driver_name from (select s.*) as own) as n;
-- name: absent
create or replace view scout.src_scouting_names as
select
    null::text as source_pk,
    null::text as full_name
where false;
