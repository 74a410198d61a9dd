-- One row per range of persons to settle in one pass: its last key. Registered persons and settled ones.
select k.person_key
from (
    select
        p.person_key,
        row_number() over (order by p.person_key) as place,
        count(*) over () as person_count
    from (
        select r.person_key from canon.identity_registry as r
        union
        select s.person_key from scout.person_attribution as s
    ) as p
) as k
where k.place % :row_limit = 0 or k.place = k.person_count
order by k.person_key;
