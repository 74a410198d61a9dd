-- One row per touched person and side: its settled row with weight -1, its live row with +1. While there is
-- no settled state to read, every live row with +1.
create or replace view scout.v_attribution_changes as
select
    -1 as weight,
    s as person
from scout.pending_keys() as k (person_key)
inner join scout.person_attribution as s
    on s.person_key = k.person_key
union all
select
    1 as weight,
    l as person
from scout.attribution_of(array(select k.person_key from scout.pending_keys() as k (person_key))) as l
union all
select
    1 as weight,
    a as person
from scout.all_attribution() as a;
