-- One row per scouting row that names a scout and has no link, or one that is out of date, looked up in the source:
-- the definition of scout.unlinked_rows.
create or replace view scout.v_unlinked_rows_live as
select
    s.source_pk,
    s.row_id,
    s.scout_id
from scout.src_scouting_daily as s
where s.scout_id is not null
    -- a link could not tell which row it means
    and s.row_id is not null
    and not s.is_repeated
    and not exists (
        select from scout.v_row_links as l
        where l.source_table = 'module_ct_scouting_daily'
            and l.source_pk = s.source_pk
            and scout.is_same_content(l.content, s.content)
    )
    and not exists (
        select from canon.identity_links as o
        where o.source_table = 'module_ct_scouting_daily' and o.source_pk = s.md5_key
    );
