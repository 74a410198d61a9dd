-- Each ledger row that a run filled has exactly one audit row of that run (I5)
select
    l.person_key,
    l.attributed_scout_id as ledger_scout_id,
    l.evidence_json -> 'scout_backfill' ->> 'run_id' as run_id
from observational.lead_ledger as l
where l.attribution_rule = 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS'
    and l.evidence_json -> 'scout_backfill' ->> 'run_id' is not null
    and 1 <> (
        select count(*) from ops.lead_ledger_scout_backfill_audit as a
        where a.person_key = l.person_key
            and a.ingestion_run_id::text = l.evidence_json -> 'scout_backfill' ->> 'run_id'
            and a.backfill_method = 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS'
    );
