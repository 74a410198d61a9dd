-- One row per entry of the list of scouts. None at all = every scout is known. An entry without a scout number knows
-- nobody, as zero, which no scout has: a list of which none can be read is not an empty one.
create or replace view scout.v_known_scouts as
select coalesce(l.scout_id, 0) as scout_id
from scout.src_scouts_list as l;
