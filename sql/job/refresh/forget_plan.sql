-- Empties the plan of this run, and what a dead one left; where all of it was done, what it judged is no longer
-- to be judged. Only the holder of the lock has a plan.
with forgotten as (
    delete from scout.planned_links
    returning run_id
),

judged as (
    delete from scout.touched_keys as t
    where t.run_id = :run_id and cast(:is_whole as boolean)
    returning 1
)

select
    (select count(*) from forgotten) as row_count,
    (select count(*) from judged) as touched_count;
