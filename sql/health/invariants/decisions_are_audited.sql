-- Each decision that changed the ledger has its one audit row, and each such row its decision (I5)
select
    d.decision_id,
    d.person_key,
    d.run_id,
    'decision without its one audit row' as problem
from scout.decisions as d
inner join scout.runs as r on r.run_id = d.run_id and r.kind = 'decision'
where d.ledger_scout_id_before is distinct from d.scout_id
    and d.outcome <> 'REOPEN'
    and 1 <> (
        select count(*) from ops.lead_ledger_scout_backfill_audit as a
        where a.ingestion_run_id = d.run_id
            and a.person_key = d.person_key
            and a.backfill_method = 'MANUAL_DECISION'
            and a.old_attributed_scout_id is not distinct from d.ledger_scout_id_before
            and a.new_attributed_scout_id is not distinct from d.scout_id
    )
union all
select
    null as decision_id,
    a.person_key,
    a.ingestion_run_id as run_id,
    'audit row without its one decision' as problem
from ops.lead_ledger_scout_backfill_audit as a
inner join scout.runs as r on r.run_id = a.ingestion_run_id
where (a.backfill_method = 'MANUAL_DECISION' or r.kind = 'decision')
    and 1 <> (
        select count(*) from scout.decisions as d
        where d.run_id = a.ingestion_run_id
            and d.person_key = a.person_key
            and (d.outcome = 'REOPEN') = (a.backfill_method = 'REVERT')
    );
