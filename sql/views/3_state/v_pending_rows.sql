-- One row per touched source row and scouting row that it concerns: itself, or those with its older key.
create or replace view scout.v_pending_rows as
select
    p.ctid as entry,
    p.source_pk,
    p.is_judged
from scout.pending_persons as p
where p.source_table = 'module_ct_scouting_daily'
union all
select
    p.ctid as entry,
    s.source_pk,
    p.is_judged
from scout.pending_persons as p
inner join scout.src_scouting_daily as s
    on s.md5_key = p.source_pk
where p.source_table = 'module_ct_scouting_daily' and length(p.source_pk) = 32;
