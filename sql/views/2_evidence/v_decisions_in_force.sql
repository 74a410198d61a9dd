-- One row per person whose newest decision still stands: not reopened, the ledger says what it decided,
-- and nobody else has changed the ledger's scout since.
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
    )
    and not exists (
        select from ops.lead_ledger_scout_backfill_audit as a
        where a.person_key = d.person_key
            and a.backfill_method = 'EXTERNAL_CHANGE'
            and a.backfill_timestamp > d.decided_at
    );
