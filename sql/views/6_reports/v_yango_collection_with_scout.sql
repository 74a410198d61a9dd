-- One row per claim (driver_id, milestone_value) with the scout of its person, when one is known.
create or replace view ops.v_yango_collection_with_scout as
select
    c.driver_id,
    c.person_key,
    c.driver_name,
    c.milestone_value,
    c.lead_date,
    c.expected_amount,
    c.yango_due_date,
    c.days_overdue_yango,
    c.overdue_bucket_yango,
    c.yango_payment_status,
    c.payment_key,
    c.pay_date,
    c.reason_code,
    c.match_rule,
    c.match_confidence,
    c.identity_status,
    c.suggested_driver_id,
    c.is_reconcilable_enriched,
    a.scout_id,
    a.scout_name,
    a.scout_name_normalized,
    a.scout_is_active,
    coalesce(a.scout_quality_bucket, 'MISSING') as scout_quality_bucket,
    a.scout_id is not null as is_scout_resolved,
    a.scout_source_table,
    a.scout_attribution_date,
    a.scout_priority,
    coalesce(a.is_conflict, false) as is_conflict
from scout.v_claims as c
left join scout.v_claim_scouts as a
    on a.person_key = c.resolved_person_key;
comment on column ops.v_yango_collection_with_scout.scout_quality_bucket is
'Where the scout comes from: SATISFACTORY_LEDGER, EVENTS_ONLY, MIGRATIONS_ONLY, SCOUTING_DAILY_ONLY, CABINET_PAYMENTS_ONLY, MISSING.';
