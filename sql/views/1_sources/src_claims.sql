-- One row per claim (driver_id, milestone_value), as the owner's collection view gives it; dates outside
-- 1900..2199 are null. is_unpaid: Yango has not paid this milestone. A claim on which the owner's view raises
-- cannot be read at all.
-- source: ops.v_yango_cabinet_claims_for_collection
-- name: present
create or replace view scout.src_claims as
select
    c.driver_id,
    c.person_key,
    c.driver_name,
    c.milestone_value,
    case when c.lead_date >= '1900-01-01' and c.lead_date < '2200-01-01' then c.lead_date end as lead_date,
    c.expected_amount,
    case when c.yango_due_date >= '1900-01-01' and c.yango_due_date < '2200-01-01' then c.yango_due_date end as yango_due_date,
    c.days_overdue_yango,
    c.overdue_bucket_yango,
    c.yango_payment_status,
    c.payment_key,
    case when c.pay_date >= '1900-01-01' and c.pay_date < '2200-01-01' then c.pay_date end as pay_date,
    c.reason_code,
    c.match_rule,
    c.match_confidence,
    c.identity_status,
    c.suggested_driver_id,
    c.is_reconcilable_enriched,
    coalesce(c.yango_payment_status <> 'PAID', true) as is_unpaid
from ops.v_yango_cabinet_claims_for_collection as c;
-- name: absent
create or replace view scout.src_claims as
select
    null::varchar as driver_id,
    null::uuid as person_key,
    null::varchar as driver_name,
    null::integer as milestone_value,
    null::date as lead_date,
    null::numeric(12, 2) as expected_amount,
    null::timestamp as yango_due_date,
    null::integer as days_overdue_yango,
    null::text as overdue_bucket_yango,
    null::text as yango_payment_status,
    null::text as payment_key,
    null::date as pay_date,
    null::text as reason_code,
    null::text as match_rule,
    null::text as match_confidence,
    null::text as identity_status,
    null::varchar as suggested_driver_id,
    null::boolean as is_reconcilable_enriched,
    null::boolean as is_unpaid
where false;
