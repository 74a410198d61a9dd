-- Keeps how many rows each source has, and asks for a rebuild where some came or went without a note. One row per source
-- that lost its rows or has some that nobody noted.
with counted as materialized (
    select * from scout.v_source_rows_now
),

taken as (
    delete from scout.source_changes
    returning 1
),

kept as (
    insert into scout.source_rows (source_name, row_count, kept_count, newest_id, write_count, write_limit, file_node, run_id)
    select
        c.source_name,
        c.row_count,
        -- a loss goes on being one until somebody says that it is right
        case when c.is_vanished and not cast(:is_forced as boolean) then c.kept_count else c.row_count end,
        c.newest_id,
        c.write_count,
        c.write_limit,
        c.file_node,
        :run_id
    from counted as c
    on conflict (source_name) do update
        set
            row_count = excluded.row_count,
            kept_count = excluded.kept_count,
            newest_id = excluded.newest_id,
            write_count = excluded.write_count,
            write_limit = excluded.write_limit,
            file_node = excluded.file_node,
            run_id = excluded.run_id,
            counted_at = excluded.counted_at
    returning 1
),

asked as (
    insert into scout.rebuild_requests (source_name, reason)
    select
        c.source_name,
        'rows came or went without a note'
    from counted as c
    where c.is_unnoted
    returning 1
),

-- what is not noted is not on the lists of what to look at either
everything as materialized (
    select 1 as one
    where scout.reading() = 'LIVE' or exists (select from counted as c where c.is_unnoted)
),

to_check as (
    insert into scout.rows_to_check (source_table, source_pk)
    select '*', pg_current_xact_id()::text from everything
    on conflict (source_table, source_pk) do nothing
),

alerts as (
    insert into scout.alerts_to_check (subject)
    select '*' from everything
)

select
    c.source_name,
    c.kept_count,
    c.row_count,
    c.is_vanished,
    c.is_unnoted,
    (select count(*) from taken) as statement_count,
    (select count(*) from kept) as written_count,
    (select count(*) from asked) as asked_count
from counted as c
where c.is_vanished or c.is_unnoted
order by c.source_name;
