-- One row per batch of source rows that a run linked or set aside: the last audit id of each, and how many in all.
select
    c.id as audit_id,
    c.row_count
from (
    select
        a.id,
        row_number() over (order by a.id) as place,
        count(*) over () as row_count
    from ops.identity_links_backfill_audit as a
    where a.ingestion_run_id = :target_run_id
) as c
where c.place % :row_limit = 0 or c.place = c.row_count
order by c.id;
