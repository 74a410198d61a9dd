-- Removes the persons that a run founded and to whom nothing refers any more; their holds go with them.
-- One row: how many, and how many stay.
with founded as materialized (
    select
        f.person_key,
        f.is_there
    from scout.v_founded_persons as f
    where f.run_id = :target_run_id
),

removed as materialized (
    select r.person_key
    from scout.remove_persons(array(select p.person_key from scout.removable_persons(:target_run_id) as p (person_key))) as r (person_key)
),

released as (
    update scout.holds as h
    set
        released_at = now(),
        released_by = :actor,
        release_reason = 'the person was removed by the same undo',
        release_run_id = :run_id
    from removed as r
    where h.person_key = r.person_key and h.released_at is null
    returning h.hold_id
)

select
    (select count(*) from removed) as removed_count,
    (select count(*) from released) as released_count,
    (select count(*) from founded as f where f.is_there) - (select count(*) from removed) as kept_count;
