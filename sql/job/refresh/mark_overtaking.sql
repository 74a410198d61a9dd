-- One row: how far the audit has got, and the decisions that are there, before a batch begins.
select
    (select coalesce(max(a.id), 0) from ops.lead_ledger_scout_backfill_audit as a) as after_audit_id,
    (select coalesce(array_agg(d.decision_id), '{}') from scout.decisions as d) as known_decision_ids;
