-- One row per registered person, exactly now: the settled row, but for touched persons the live one. Columns
-- and meaning as in scout.person_attribution; the list of scouts is not joined yet. Where only settled values
-- can be shown (scout.v_state), those.
create or replace view scout.v_persons_now as
select s.*
from scout.v_settled_now as s
union all
select t.*
from scout.v_touched_now as t;
