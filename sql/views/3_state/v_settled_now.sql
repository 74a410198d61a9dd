-- One row per registered person whose settled row is what is so now. Without a join, so that a list can take
-- its page from an index of scout.person_attribution.
create or replace view scout.v_settled_now as
select s.*
from scout.person_attribution as s
where (select scout.reading()) <> 'LIVE'
    and s.person_key not in (select k.person_key from scout.pending_keys() as k (person_key));
