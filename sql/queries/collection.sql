-- Claims on Yango with the scout of their person.

-- name: list_claims
select
    c.driver_id,
    c.person_key::text as person_key,
    c.driver_name,
    c.milestone_value,
    c.lead_date,
    c.expected_amount,
    c.yango_due_date::date as yango_due_date,
    c.days_overdue_yango,
    c.overdue_bucket_yango,
    c.yango_payment_status,
    c.pay_date,
    c.reason_code,
    c.identity_status,
    c.match_confidence,
    c.scout_id,
    c.scout_name,
    c.scout_is_active,
    c.scout_quality_bucket,
    c.is_scout_resolved,
    c.scout_attribution_date,
    c.is_conflict,
    coalesce(c.days_overdue_yango, -2147483648) as overdue_key,
    coalesce(c.expected_amount, '-infinity') as amount_key,
    coalesce(c.driver_id, '') as driver_key,
    coalesce(c.milestone_value, -2147483648) as milestone_key
from ops.v_yango_collection_with_scout as c
where (not cast(:missing_only as boolean) or not c.is_scout_resolved)
    and (not cast(:conflicts_only as boolean) or c.is_conflict)
    and (cast(:scout_id as integer) is null or c.scout_id = cast(:scout_id as integer))
    and (cast(:bucket as text) is null or c.scout_quality_bucket = :bucket)
    and (cast(:overdue_bucket as text) is null or c.overdue_bucket_yango = :overdue_bucket)
    and (cast(:payment_status as text) is null or c.yango_payment_status = :payment_status)
    and (not cast(:unpaid_only as boolean) or c.yango_payment_status is distinct from 'PAID')
    and (cast(:driver as text) is null or starts_with(c.driver_id, cast(:driver as text)))
    and (cast(:key_from as uuid) is null or c.person_key >= cast(:key_from as uuid))
    and (cast(:key_to as uuid) is null or c.person_key <= cast(:key_to as uuid));
