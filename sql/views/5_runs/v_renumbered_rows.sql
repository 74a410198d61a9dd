-- One row per link that is out of date because numbers were given anew: another row says now what its row said.
create or replace view scout.v_renumbered_rows as
select o.source_pk
from scout.v_outdated_links as o
inner join scout.linked_rows as c
    on c.source_table = o.source_table and c.source_pk = o.source_pk
where c.content in (select s.content from scout.src_scouting_daily as s);
