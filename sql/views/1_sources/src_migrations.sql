-- One row per migrated driver with the scout who moved it.
-- source: public.module_ct_migrations
-- name: present
create or replace view scout.src_migrations as
select
    scout.read_row_number(m.id) as row_id,
    scout.read_key(m.id) as source_pk,
    scout.read_key(m.driver_id) as driver_id,
    scout.parse_scout_id(m.scout_id) as scout_id,
    scout.is_unreadable_scout(m.scout_id) as is_unreadable,
    m.scout_id::text as raw_scout_id,
    coalesce(
        scout.bad_value(m.hire_date, scout.source_timestamp(m.hire_date) is not null),
        scout.bad_value(m.created_at, scout.source_timestamp(m.created_at) is not null)
    ) as raw_bad_date,
    scout.read_hire_day(m.hire_date) as hired_on,
    scout.source_timestamp(m.created_at) as created_at,
    exists (
        select from scout.repeated_ids as r
        where r.source_name = 'public.module_ct_migrations' and r.source_pk = scout.read_key(m.id)
    ) as is_repeated
from public.module_ct_migrations as m;
-- name: absent
create or replace view scout.src_migrations as
select
    null::bigint as row_id,
    null::text as source_pk,
    null::text as driver_id,
    null::integer as scout_id,
    null::boolean as is_unreadable,
    null::text as raw_scout_id,
    null::text as raw_bad_date,
    null::date as hired_on,
    null::timestamptz as created_at,
    null::boolean as is_repeated
where false;
