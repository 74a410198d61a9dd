-- One row: how far audit, decisions and holds have got before a batch begins.
select
    (select coalesce(max(a.id), 0) from ops.lead_ledger_scout_backfill_audit as a) as after_audit_id,
    (select coalesce(max(d.decision_id), 0) from scout.decisions as d) as after_decision_id,
    (select coalesce(max(h.hold_id), 0) from scout.holds as h) as after_hold_id;
