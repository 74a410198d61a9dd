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
        k.phone_key,
        array_agg(k.person_key) as person_keys,
        count(*) as person_count
    from known as k
    group by k.phone_key
    having count(*) > 1
),

-- a phone of a thousand persons is told by its first four, so that each row stays small
told as (
    select
        s.phone_key,
        s.person_keys,
        s.person_count,
        f.first_keys
    from shared as s
    cross join lateral (
        select (array_agg(p.person_key order by p.person_key))[1:4] as first_keys
        from unnest(s.person_keys) as p (person_key)
    ) as f
)

select
    'canon.identity_registry' as source_table,
    n.person_key::text as source_pk,
    n.person_key,
    'phones=' || count(distinct t.phone_key) || '; persons=' || max(t.person_count) || '; with='
    || string_agg(distinct left(o.person_key::text, 8), ' · ' order by left(o.person_key::text, 8)) as detail,
    null::date as on_date
from told as t
cross join lateral unnest(t.person_keys) as n (person_key)
inner join lateral unnest(t.first_keys) as o (person_key) on o.person_key <> n.person_key
group by n.person_key;
