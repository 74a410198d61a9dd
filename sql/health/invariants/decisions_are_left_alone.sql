-- No run gave a scout to somebody for whom a person had decided that there is none (I7)
select
    a.id as audit_id,
    a.person_key,
    a.ingestion_run_id as run_id,
    d.decision_id
from ops.lead_ledger_scout_backfill_audit as a
inner join scout.runs as r on r.run_id = a.ingestion_run_id
cross join lateral (
    select
        n.decision_id,
        n.outcome,
        n.scout_id
    from scout.decisions as n
    where n.person_key = a.person_key and n.decided_at < a.backfill_timestamp
    order by n.decision_id desc
    limit 1
) as d
where a.backfill_method = 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS'
    and d.outcome <> 'REOPEN'
    -- in force: the ledger said what it decided
    and a.old_attributed_scout_id is not distinct from d.scout_id;
