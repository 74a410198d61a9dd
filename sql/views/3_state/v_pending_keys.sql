-- One row per touched source row and person that it concerns. Persons are looked up here, not when the row
-- was touched: a link that was being written at the same time is seen by now.
-- A link that appears or goes also concerns the person that the row leads to without it.
create or replace view scout.v_pending_keys as
select
    p.ctid as entry,
    p.person_key,
    p.source_table,
    p.is_judged
from scout.pending_persons as p
where p.person_key is not null
union all
select
    p.ctid as entry,
    l.person_key,
    p.source_table,
    p.is_judged
from scout.pending_persons as p
inner join canon.identity_links as l
    on l.source_table = p.source_table and l.source_pk = p.source_pk
union all
select
    p.ctid as entry,
    l.person_key,
    p.source_table,
    p.is_judged
from scout.pending_persons as p
inner join scout.src_migrations as m
    on m.source_pk = p.source_pk
inner join canon.identity_links as l
    on l.source_table = 'drivers' and l.source_pk = m.driver_id
where p.source_table = 'module_ct_migrations'
union all
select
    p.ctid as entry,
    l.person_key,
    p.source_table,
    p.is_judged
from scout.pending_persons as p
inner join scout.src_scouting_daily as s
    on s.source_pk = p.source_pk
inner join canon.identity_links as l
    on l.source_table = 'module_ct_scouting_daily' and l.source_pk = s.md5_key
where p.source_table = 'module_ct_scouting_daily';
