-- One row: persons that this run has just given a scout and that a decision or a hold, committed meanwhile,
-- says it must not. Their rows are locked by now, so that none can follow. A candidate had no hold at all;
-- decisions are told by the set of those known before, as ids commit out of order.
select count(*) as person_count
from ops.lead_ledger_scout_backfill_audit as a
where a.ingestion_run_id = :run_id
    and a.id > :after_audit_id
    and (
        exists (
            select from scout.decisions as d
            where d.person_key = a.person_key and d.decision_id <> all (cast(:known_decision_ids as bigint []))
        )
        or exists (
            select from scout.v_held_persons as h
            where h.person_key = a.person_key
        )
    );
