-- One row per thing about which something changed since a run judged the scouting rows that hang on it:
-- a scouting row, a licence, a phone or a person. All null = everything.
create or replace view scout.v_touched_keys as
select
    t.license_key,
    t.phone_key,
    t.person_key,
    t.source_pk
from scout.touched_keys as t
union all
select
    p.license_key,
    p.phone_key,
    p.person_key,
    p.source_pk
from scout.v_pending_touches as p;
