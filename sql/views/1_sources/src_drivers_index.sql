-- One row per driver with its identifiers as keys.
-- source: canon.drivers_index
-- name: present
create or replace view scout.src_drivers_index as
select
    scout.read_key(d.driver_id) as driver_id,
    scout.license_key(d.license_norm) collate "C" as license_key,
    scout.phone_key(d.phone_norm) collate "C" as phone_key,
    scout.read_key(d.license_norm) as license,
    scout.read_key(d.phone_norm) as phone
from canon.drivers_index as d;
-- name: absent
create or replace view scout.src_drivers_index as
select
    null::text as driver_id,
    null::text collate "C" as license_key,
    null::text collate "C" as phone_key,
    null::text as license,
    null::text as phone
where false;
