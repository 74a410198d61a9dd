-- One row per person whose newest decision stands: not reopened, and the ledger says what it decided. Somebody else's
-- change ends it for as long as the ledger says something else.
create or replace view scout.v_decisions_in_force as
select
    d.decision_id,
    d.person_key,
    d.outcome,
    d.scout_id,
    d.considered_scout_ids,
    d.decided_at
from (
    select distinct on (n.person_key)
        n.decision_id,
        n.person_key,
        n.outcome,
        n.scout_id,
        n.considered_scout_ids,
        n.decided_at
    from scout.decisions as n
    order by n.person_key, n.decision_id desc
) as d
where d.outcome <> 'REOPEN'
    and d.scout_id is not distinct from (
        select l.attributed_scout_id from observational.lead_ledger as l
        where l.person_key = d.person_key
    );
