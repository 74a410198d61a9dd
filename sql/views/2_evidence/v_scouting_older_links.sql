-- One row per scouting row that is linked under its older md5 key and, as it is now, not under its id, with its person.
create or replace view scout.v_scouting_older_links as
select
    s.*,
    l.person_key
from canon.identity_links as l
inner join scout.src_scouting_daily as s
    on s.md5_key = l.source_pk
where l.source_table = 'module_ct_scouting_daily'
    -- an md5 has 32 letters, an id never; few links are of this kind, and the planner is told so
    and length(l.source_pk) = 32
    and not exists (
        select from scout.v_row_links as i
        where i.source_table = 'module_ct_scouting_daily'
            and i.source_pk = s.source_pk
            and scout.is_same_content(i.content, s.content)
    );
