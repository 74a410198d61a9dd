-- Writes down what the scouting rows say that somebody set aside with SQL since a run looked. One row: how many.
with said as (
    insert into scout.ignored_rows (source_table, source_pk, content)
    select
        u.source_table,
        u.source_pk,
        s.content
    from canon.identity_unmatched as u
    inner join scout.src_scouting_daily as s on s.source_pk = u.source_pk
    where u.source_table = 'module_ct_scouting_daily' and u.status = 'IGNORED'
    on conflict (source_table, source_pk) do nothing
    returning source_pk
)

select count(*) as row_count from said;
