-- One row per link whose scouting row says something else by now than when we linked it: it is no evidence until a
-- run or a person moves it.
create or replace view scout.v_outdated_links as
select
    l.link_id,
    l.source_table,
    l.source_pk,
    l.person_key,
    s.row_id
from scout.v_row_links as l
inner join scout.src_scouting_daily as s
    on s.source_pk = l.source_pk
where l.source_table = 'module_ct_scouting_daily'
    and not scout.is_same_content(l.content, s.content);
