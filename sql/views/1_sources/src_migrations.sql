-- One row per migrated driver with the scout who moved it.
-- source: public.module_ct_migrations
-- name: present
create or replace view scout.src_migrations as
select
    m.id::bigint as row_id,
    m.id::text as source_pk,
    m.driver_id::text as driver_id,
    scout.parse_scout_id(m.scout_id) as scout_id,
    scout.is_unreadable_scout(m.scout_id) as is_unreadable,
    m.scout_id::text as raw_scout_id,
    case
        when m.hire_date is not null and scout.source_timestamp(m.hire_date) is null then m.hire_date::text
        when m.created_at is not null and scout.source_timestamp(m.created_at) is null then m.created_at::text
    end as raw_bad_date,
    scout.lima_date(scout.source_timestamp(m.hire_date)) as hired_on,
    scout.source_timestamp(m.created_at) as created_at,
    exists (
        select from scout.repeated_ids as r
        where r.source_name = 'public.module_ct_migrations' and r.source_pk = m.id::text
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
