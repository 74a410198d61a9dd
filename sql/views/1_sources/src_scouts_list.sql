-- One row per entry of the list of scouts; a scout may be listed twice.
-- source: public.module_ct_scouts_list
-- name: present
create or replace view scout.src_scouts_list as
select
    scout.parse_scout_id(l.scout_id) as scout_id,
    scout.is_unreadable_scout(l.scout_id) as is_unreadable,
    scout.read_key(l.scout_id) as source_pk,
    l.raw_name::text as raw_name,
    l.name::text as scout_name,
    scout.read_flag(l.is_active) as is_active,
    coalesce(
        scout.bad_value(l.created_at, scout.source_timestamp(l.created_at) is not null),
        scout.bad_value(l.updated_at, scout.source_timestamp(l.updated_at) is not null)
    ) as raw_bad_date,
    scout.source_timestamp(l.created_at) as created_at,
    scout.source_timestamp(l.updated_at) as updated_at
from public.module_ct_scouts_list as l;
-- name: absent
create or replace view scout.src_scouts_list as
select
    null::integer as scout_id,
    null::boolean as is_unreadable,
    null::text as source_pk,
    null::text as raw_name,
    null::text as scout_name,
    null::boolean as is_active,
    null::text as raw_bad_date,
    null::timestamptz as created_at,
    null::timestamptz as updated_at
where false;
