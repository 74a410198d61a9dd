-- One row per person to whom the next run gives a scout, the links that it makes first taken into account:
-- a scouting row linked to the person may name another scout.
create or replace view scout.v_planned_scouts as
select
    c.person_key,
    c.scout_id,
    c.has_ledger_row
from scout.v_propagation_candidates as c
where not exists (
    select from scout.v_identity_candidates as l
    where l.person_key = c.person_key and l.scout_id <> c.scout_id
);
