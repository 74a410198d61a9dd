-- One row per claim (driver_id, milestone_value), as the owner's collection view gives it; dates outside
-- 1900..2199 are null. is_unpaid: Yango has not paid this milestone. A claim on which the owner's view raises
-- cannot be read at all.
-- source: ops.v_yango_cabinet_claims_for_collection
-- name: present
create or replace view scout.src_claims as
select
    scout.read_key(c.driver_id)::varchar as driver_id,
    scout.read_person_key(c.person_key) as person_key,
    c.driver_name::varchar as driver_name,
    scout.read_whole(c.milestone_value) as milestone_value,
    scout.sane_date(scout.read_day(c.lead_date)) as lead_date,
    scout.read_amount(c.expected_amount)::numeric(12, 2) as expected_amount,
    scout.read_due(c.yango_due_date) as yango_due_date,
    scout.read_whole(c.days_overdue_yango) as days_overdue_yango,
    c.overdue_bucket_yango::text as overdue_bucket_yango,
    c.yango_payment_status::text as yango_payment_status,
    scout.read_key(c.payment_key) as payment_key,
    scout.sane_date(scout.read_day(c.pay_date)) as pay_date,
    c.reason_code::text as reason_code,
    c.match_rule::text as match_rule,
    c.match_confidence::text as match_confidence,
    c.identity_status::text as identity_status,
    scout.read_key(c.suggested_driver_id)::varchar as suggested_driver_id,
    scout.read_flag(c.is_reconcilable_enriched) as is_reconcilable_enriched,
    coalesce(c.yango_payment_status::text <> 'PAID', true) as is_unpaid
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
