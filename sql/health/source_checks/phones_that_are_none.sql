-- A phone is written that can be none: an exponent form, a foreign number, two in one cell.
-- severity: INFO
-- One row per source row with something in its phone that gives no key (scout.phone_key).
select
    w.source_table,
    w.source_pk,
    w.person_key,
    'value=' || scout.mask_excerpt(btrim(w.phone, E' \t\r\n')) as detail,
    w.on_date
from (
    select
        'public.module_ct_scouting_daily' as source_table,
        s.source_pk,
        null::uuid as person_key,
        s.driver_phone as phone,
        s.phone_key,
        s.registered_on as on_date
    from scout.src_scouting_daily as s
    union all
    select
        'canon.identity_registry' as source_table,
        r.person_key::text as source_pk,
        r.person_key,
        r.phone,
        r.phone_key,
        null as on_date
    from scout.src_registry_identifiers as r
    union all
    select
        'canon.drivers_index' as source_table,
        d.driver_id as source_pk,
        null as person_key,
        d.phone,
        d.phone_key,
        null as on_date
    from scout.src_drivers_index as d
) as w
where w.phone_key is null and btrim(w.phone, E' \t\r\n') <> '';
