-- Empties the plan of this run, and what a dead one left. Only the holder of the lock has one.
with forgotten as (
    delete from scout.planned_links
    returning run_id
)

select count(*) as row_count
from forgotten;
