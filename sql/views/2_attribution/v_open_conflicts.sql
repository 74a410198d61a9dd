-- One row per person with an open conflict.
create or replace view scout.v_open_conflicts as
select
    p.person_key,
    p.conflict_kind,
    p.ledger_scout_id
from scout.v_person_attribution as p
where p.conflict_kind is not null;
