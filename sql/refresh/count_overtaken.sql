-- One row: persons that this run has just given a scout and that a decision or a hold, committed meanwhile,
-- says it must not. Their rows are locked by now, so that none can follow.
select count(*) as person_count
from ops.lead_ledger_scout_backfill_audit as a
where a.ingestion_run_id = :run_id
    and a.id > :after_audit_id
    and (
        exists (
            select from scout.decisions as d
            where d.person_key = a.person_key and d.decision_id > :after_decision_id
        )
        or exists (
            select from scout.holds as h
            where h.person_key = a.person_key and h.released_at is null and h.hold_id > :after_hold_id
        )
    );
