-- Closes the unmatched rows of links that were out of date and hold again, as their row says what it said, or as
-- somebody else linked it. One row: how many.
with closed as (
    update canon.identity_unmatched as u
    set
        status = 'RESOLVED',
        resolved_at = now(),
        run_id = :run_id
    where u.source_table = 'module_ct_scouting_daily'
        and u.status = 'OPEN'
        and u.reason_code = 'KEYS_MOVED'
        and exists (
            select from scout.src_scouting_daily as s
            where s.source_pk = u.source_pk and s.scout_id is not null
        )
        and not exists (
            select from scout.v_unlinked_rows as n
            where n.source_pk = u.source_pk
        )
    returning u.id
)

select count(*) as row_count from closed;
