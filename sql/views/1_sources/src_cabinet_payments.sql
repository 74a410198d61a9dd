-- One row per cabinet payment row: a driver, the scout named on it, the trips reached.
-- source: public.module_ct_cabinet_payments
-- name: present
create or replace view scout.src_cabinet_payments as
select
    scout.read_row_number(p.id) as row_id,
    scout.read_key(p.id) as source_pk,
    scout.read_person_key(p.person_key) as person_key,
    scout.read_key(p.driver_id) as driver_id,
    scout.parse_scout_id(p.scout_id) as scout_id,
    scout.is_unreadable_scout(p.scout_id) as is_unreadable,
    p.scout_id::text as raw_scout_id,
    coalesce(
        scout.bad_value(p.date, scout.sane_date(scout.read_day(p.date)) is not null),
        scout.bad_value(p.created_at, scout.source_timestamp(p.created_at) is not null)
    ) as raw_bad_date,
    case
        when scout.read_flag(p.trip_25) then 25
        when scout.read_flag(p.trip_5) then 5
        when scout.read_flag(p.trip_1) then 1
    end as trips_reached,
    scout.sane_date(scout.read_day(p.date)) as paid_on,
    scout.source_timestamp(p.created_at) as created_at
from public.module_ct_cabinet_payments as p;
-- name: absent
create or replace view scout.src_cabinet_payments as
select
    null::bigint as row_id,
    null::text as source_pk,
    null::uuid as person_key,
    null::text as driver_id,
    null::integer as scout_id,
    null::boolean as is_unreadable,
    null::text as raw_scout_id,
    null::text as raw_bad_date,
    null::integer as trips_reached,
    null::date as paid_on,
    null::timestamptz as created_at
where false;
