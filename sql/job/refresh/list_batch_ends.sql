-- One row per batch of the ledger step: the last person_key of each, and how many there are in all.
select
    c.person_key,
    c.person_count
from (
    select
        k.person_key,
        row_number() over (order by k.person_key) as place,
        count(*) over () as person_count
    from scout.v_propagation_candidates as k
) as c
where c.place % :row_limit = 0 or c.place = c.person_count
order by c.person_key;
