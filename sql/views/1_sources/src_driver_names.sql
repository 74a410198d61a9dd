-- One row per driver with its name; null where the table has no such column.
-- source: canon.drivers_index
-- name: present
create or replace view scout.src_driver_names as
select
    scout.read_key(d.driver_id) as driver_id,
    n.full_name_norm::text as full_name
from canon.drivers_index as d
cross join (values (null::text)) as stand_in (full_name_norm)
cross join lateral (select full_name_norm from (select d.*) as own) as n;
-- name: absent
create or replace view scout.src_driver_names as
select
    null::text as driver_id,
    null::text as full_name
where false;
