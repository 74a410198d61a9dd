-- One row per scouting row: a driver that a scout wrote down.
-- source: public.module_ct_scouting_daily
-- name: present
create or replace view scout.src_scouting_daily as
select
    scout.read_row_number(s.id) as row_id,
    scout.read_key(s.id) as source_pk,
    scout.scouting_md5_key(
        scout.read_key(s.scout_id),
        scout.read_key(s.driver_phone),
        scout.read_key(s.driver_license),
        scout.read_day(s.registration_date)
    ) as md5_key,
    scout.row_content(
        scout.read_key(s.driver_license),
        scout.read_key(s.driver_phone),
        scout.scouting_md5_key(
            scout.read_key(s.scout_id),
            scout.read_key(s.driver_phone),
            scout.read_key(s.driver_license),
            scout.read_day(s.registration_date)
        ),
        (select k.secret from scout.content_key as k)
    ) as content,
    scout.parse_scout_id(s.scout_id) as scout_id,
    scout.is_unreadable_scout(s.scout_id) as is_unreadable,
    s.scout_id::text as raw_scout_id,
    coalesce(
        scout.bad_value(s.registration_date, scout.sane_date(scout.read_day(s.registration_date)) is not null),
        scout.bad_value(s.created_at, scout.source_timestamp(s.created_at) is not null)
    ) as raw_bad_date,
    scout.license_key(s.driver_license) collate "C" as license_key,
    scout.phone_key(s.driver_phone) collate "C" as phone_key,
    scout.read_key(s.driver_license) as driver_license,
    scout.read_key(s.driver_phone) as driver_phone,
    s.acquisition_method::text as acquisition_method,
    scout.sane_date(scout.read_day(s.registration_date)) as registered_on,
    scout.source_timestamp(s.created_at) as created_at,
    exists (
        select from scout.repeated_ids as r
        where r.source_name = 'public.module_ct_scouting_daily' and r.source_pk = scout.read_key(s.id)
    ) as is_repeated
from public.module_ct_scouting_daily as s;
-- name: absent
create or replace view scout.src_scouting_daily as
select
    null::bigint as row_id,
    null::text as source_pk,
    null::text as md5_key,
    null::uuid as content,
    null::integer as scout_id,
    null::boolean as is_unreadable,
    null::text as raw_scout_id,
    null::text as raw_bad_date,
    null::text collate "C" as license_key,
    null::text collate "C" as phone_key,
    null::text as driver_license,
    null::text as driver_phone,
    null::text as acquisition_method,
    null::date as registered_on,
    null::timestamptz as created_at,
    null::boolean as is_repeated
where false;
