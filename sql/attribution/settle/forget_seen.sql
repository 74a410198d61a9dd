-- Takes off the list what a settling of everything has seen: what was noted before it began. Whatever hangs
-- on the linking of scouting rows is judged anew, and every source row looked at for bad values.
-- One row: how many.
with taken as (
    delete from scout.pending_persons as p
    where pg_visible_in_snapshot(p.noted_in, cast(:seen as pg_snapshot))
        -- a transaction that this server has not reached: the note came with a restored dump
        or p.noted_in >= pg_snapshot_xmax(pg_current_snapshot())
    returning 1
),

rebuilt as (
    delete from scout.rebuild_requests as r
    where pg_visible_in_snapshot(r.noted_in, cast(:seen as pg_snapshot))
        or r.noted_in >= pg_snapshot_xmax(pg_current_snapshot())
    returning 1
),

to_judge as (
    insert into scout.touched_keys (license_key) values (null)
    returning 1
),

to_check as (
    insert into scout.rows_to_check (source_table, source_pk) values ('*', '*')
    on conflict (source_table, source_pk) do nothing
    returning 1
)

select
    (select count(*) from taken) as entry_count,
    (select count(*) from rebuilt) as request_count,
    (select count(*) from to_judge) as judged_count,
    (select count(*) from to_check) as check_count;
