-- A licence is written that can be none, as "NO TIENE" or "S/N".
-- severity: INFO
-- One row per source row with something in its licence that gives no key (scout.license_key).
select
    w.source_table,
    w.source_pk,
    w.person_key,
    'value=' || scout.mask_excerpt(btrim(w.license, E' \t\r\n')) as detail,
    w.on_date
from (
    select
        'public.module_ct_scouting_daily' as source_table,
        s.source_pk,
        null::uuid as person_key,
        s.driver_license as license,
        s.license_key,
        s.registered_on as on_date
    from scout.src_scouting_daily as s
    union all
    select
        'canon.identity_registry' as source_table,
        r.person_key::text as source_pk,
        r.person_key,
        r.license,
        r.license_key,
        null as on_date
    from scout.src_registry_identifiers as r
    union all
    select
        'canon.drivers_index' as source_table,
        d.driver_id as source_pk,
        null as person_key,
        d.license,
        d.license_key,
        null as on_date
    from scout.src_drivers_index as d
) as w
where w.license_key is null and btrim(w.license, E' \t\r\n') <> '';
