-- One row per touched source row and what it may change for the linking of scouting rows: a scouting row,
-- a licence and a phone, or a person with all that it is known under.
create or replace view scout.v_pending_touches as
select
    k.entry,
    null collate "C" as license_key,
    null collate "C" as phone_key,
    k.person_key,
    null as source_pk
from scout.v_pending_keys as k
where k.source_table in ('identity_registry', 'module_ct_scouting_daily') and not k.is_judged
union all
select
    p.ctid as entry,
    null collate "C" as license_key,
    null collate "C" as phone_key,
    p.person_key,
    null as source_pk
from scout.pending_persons as p
where p.source_table = 'drivers' and p.person_key is not null and not p.is_judged
union all
-- a driver that changed leads to the person who is known under what it has
select
    p.ctid as entry,
    null collate "C" as license_key,
    null collate "C" as phone_key,
    l.person_key,
    null as source_pk
from scout.pending_persons as p
inner join canon.identity_links as l
    on l.source_table = 'drivers' and l.source_pk = p.source_pk
where p.source_table = 'drivers_index'
union all
-- what a scouting row shows is read from it when it is judged
select
    r.entry,
    null collate "C" as license_key,
    null collate "C" as phone_key,
    null::uuid as person_key,
    r.source_pk
from scout.v_pending_rows as r
where not r.is_judged
union all
select
    p.ctid as entry,
    d.license_key,
    d.phone_key,
    null::uuid as person_key,
    null as source_pk
from scout.pending_persons as p
inner join scout.src_drivers_index as d
    on d.driver_id = p.source_pk
where p.source_table = 'drivers'
    and p.person_key is not null
    and not p.is_judged
    and coalesce(d.license_key, d.phone_key) is not null;
