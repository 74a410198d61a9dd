-- A scouting row says what an earlier one says: the same scout, licence, phone and day.
-- severity: WARN
-- One row per scouting row but the first (lowest id) of each. Licence and phone are compared as keys; rows with
-- neither are not compared.
with told as (
    select
        s.row_id,
        s.source_pk,
        s.registered_on,
        min(s.row_id) over same as first_row_id,
        count(*) over same as row_count
    from scout.src_scouting_daily as s
    where s.license_key is not null or s.phone_key is not null
    window same as (
        partition by coalesce(s.scout_id::text, s.raw_scout_id), s.license_key, s.phone_key, s.registered_on
    )
)

select
    'public.module_ct_scouting_daily' as source_table,
    t.source_pk,
    (array_agg(p.person_key order by p.person_key))[1] as person_key,
    'first_row=' || t.first_row_id || '; rows=' || t.row_count as detail,
    t.registered_on as on_date
from told as t
left join scout.v_scouting_persons as p on p.row_id = t.row_id
where t.row_id > t.first_row_id
group by t.source_pk, t.first_row_id, t.row_count, t.registered_on;
