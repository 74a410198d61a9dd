-- With many rows to judge, nested loops are switched off for the plan: how many rows a step of it gives
-- cannot be estimated, and a nested loop where thousands meet thousands takes hours.
-- One row: whether anything is to be judged at all.
select
    set_config('enable_nestloop', case when count(*) > 2000 then 'off' else 'on' end, true) as enable_nestloop,
    exists (select from scout.v_touched_keys) or scout.reading() = 'LIVE' as is_anything
from (select from scout.v_rows_to_judge limit 2001) as r;
