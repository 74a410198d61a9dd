-- One row per touched source row and what it may change for the linking of scouting rows: a scouting row,
-- a licence and a phone, or a person with all that it is known under.
create or replace view scout.v_pending_touches as
select
    p.ctid as entry,
    null collate "C" as license_key,
    null collate "C" as phone_key,
    p.person_key,
    null as source_pk
from scout.pending_persons as p
where p.person_key is not null
    and not p.is_judged
    and p.source_table in ('identity_registry', 'drivers', 'module_ct_scouting_daily')
union all
select
    r.entry,
    s.license_key,
    s.phone_key,
    null::uuid as person_key,
    s.source_pk
from scout.v_pending_rows as r
inner join scout.src_scouting_daily as s
    on s.source_pk = r.source_pk
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
where p.source_table = 'drivers' and p.person_key is not null and not p.is_judged;
