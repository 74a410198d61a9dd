-- One row per source row that a person set aside as nobody. That is of what the row said: of another row under the
-- same number it says nothing, and it follows where numbers were given anew. ignored_pk = the number it had then.
create or replace view scout.v_ignored_rows as
select
    u.source_table::text as source_table,
    u.source_pk::text as source_pk,
    u.source_pk::text as ignored_pk
from canon.identity_unmatched as u
left join scout.ignored_rows as i
    on i.source_table = u.source_table and i.source_pk = u.source_pk
left join scout.src_scouting_daily as s
    on u.source_table = 'module_ct_scouting_daily' and s.source_pk = u.source_pk
where u.status = 'IGNORED'
    and scout.is_same_content(i.content, s.content)
union all
select
    i.source_table,
    n.source_pk,
    i.source_pk as ignored_pk
from scout.ignored_rows as i
inner join canon.identity_unmatched as u
    on u.source_table = i.source_table and u.source_pk = i.source_pk and u.status = 'IGNORED'
inner join scout.src_scouting_daily as s on s.content = i.content
inner join scout.v_unlinked_rows as n on n.source_pk = s.source_pk
where i.source_table = 'module_ct_scouting_daily'
    and not exists (
        select from scout.src_scouting_daily as o
        where o.source_pk = i.source_pk and o.content = i.content
    );
