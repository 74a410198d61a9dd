-- Settles every scouting row that names a scout and has no link. One row: how many changed.
with live as materialized (
    select
        l.source_pk,
        l.row_id,
        l.scout_id
    from scout.v_unlinked_rows_live as l
),

gone as (
    delete from scout.unlinked_rows as t
    where not exists (select from live as l where l.source_pk = t.source_pk)
    returning 1
),

written as (
    insert into scout.unlinked_rows as t (source_pk, row_id, scout_id)
    select
        l.source_pk,
        l.row_id,
        l.scout_id
    from live as l
    on conflict (source_pk) do update
        set
            row_id = excluded.row_id,
            scout_id = excluded.scout_id
        where t.* is distinct from excluded.*
    returning 1
)

select (select count(*) from gone) + (select count(*) from written) as changed_count;
