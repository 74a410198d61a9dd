-- One row per source row and hold that nobody has released. A hold is of what the row said: of another row under the
-- same number it says nothing, and it follows where numbers were given anew.
create or replace view scout.v_held_rows as
select
    h.hold_id,
    h.source_table,
    h.source_pk
from scout.holds as h
left join scout.src_scouting_daily as s
    on h.source_table = 'module_ct_scouting_daily' and s.source_pk = h.source_pk
where h.subject = 'source_row'
    and h.released_at is null
    and scout.is_same_content(h.held_content, s.content)
union all
select
    h.hold_id,
    h.source_table,
    u.source_pk
from scout.holds as h
inner join scout.src_scouting_daily as s on s.content = h.held_content
inner join scout.v_unlinked_rows as u on u.source_pk = s.source_pk
where h.source_table = 'module_ct_scouting_daily'
    and h.released_at is null
    and not exists (
        select from scout.src_scouting_daily as o
        where o.source_pk = h.source_pk and o.content = h.held_content
    );
