-- One row per linked scouting row: the person it leads to, under its id, else under its older md5 key. A link of ours
-- whose row says something else by now is none.
create or replace view scout.v_scouting_persons as
select
    s.row_id,
    l.person_key,
    s.license_key,
    s.phone_key
from scout.src_scouting_daily as s
inner join scout.v_row_links as l
    on l.source_table = 'module_ct_scouting_daily'
    and l.source_pk = s.source_pk
    and scout.is_same_content(l.content, s.content)
union all
select
    o.row_id,
    o.person_key,
    o.license_key,
    o.phone_key
from scout.v_scouting_older_links as o;
