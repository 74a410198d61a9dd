-- Several persons have one phone, so that it identifies none of them.
-- severity: WARN
-- One row per person. Persons of a phone as linking takes them: those of the registry, of drivers linked to
-- them, of scouting rows linked to them; stop numbers are no phones.
with known as (
    select
        r.phone_key,
        r.person_key
    from scout.src_registry_identifiers as r
    where r.phone_key is not null
    union
    select
        d.phone_key,
        l.person_key
    from scout.src_drivers_index as d
    inner join canon.identity_links as l on l.source_table = 'drivers' and l.source_pk = d.driver_id
    where d.phone_key is not null
    union
    select
        p.phone_key,
        p.person_key
    from scout.v_scouting_persons as p
    where p.phone_key is not null
),

shared as (
    select
        array_agg(k.person_key) as person_keys,
        count(*) as person_count
    from known as k
    group by k.phone_key
    having count(*) > 1
)

select
    'canon.identity_registry' as source_table,
    n.person_key::text as source_pk,
    n.person_key,
    'phones=' || count(*) || '; persons=' || max(s.person_count) as detail,
    null::date as on_date
from shared as s
cross join lateral unnest(s.person_keys) as n (person_key)
group by n.person_key;
