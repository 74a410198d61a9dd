-- One row per entry of the list of scouts that has a scout number. None at all = every scout is known.
create or replace view scout.v_known_scouts as
select l.scout_id
from scout.src_scouts_list as l
where l.scout_id is not null;
