-- One row per registered person that was touched since it was settled, recomputed; every person while nothing
-- is settled.
create or replace view scout.v_touched_now as
select l.*
from scout.attribution_of(array(select k.person_key from scout.pending_keys() as k (person_key))) as l
union all
select a.*
from scout.all_attribution() as a;
