-- Claims on Yango with the scout of their person.

-- name: list_claims
-- The claims of the filter, without their scout. driver_ids and milestone_keys null = all. Claims of the same row_key
-- are the same in all that is shown.
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
    c.resolved_person_key,
    coalesce(c.days_overdue_yango, -2147483648) as overdue_key,
    coalesce(c.expected_amount, '-infinity') as amount_key,
    coalesce(c.driver_id, '') as driver_key,
    coalesce(c.milestone_value, -2147483648) as milestone_key,
    hash_record_extended(
        row(
            c.driver_id, c.person_key, c.driver_name, c.milestone_value, c.lead_date, c.expected_amount, c.yango_due_date,
            c.days_overdue_yango, c.overdue_bucket_yango, c.yango_payment_status, c.pay_date, c.reason_code,
            c.identity_status, c.match_confidence, c.resolved_person_key
        ), 0
    ) as row_key
from scout.v_claims as c
where (
    not cast(:missing_only as boolean)
    or not exists (select from scout.v_claim_scouts as s where s.person_key = c.resolved_person_key)
)
and (
    not cast(:conflicts_only as boolean)
    or exists (select from scout.v_claim_scouts as s where s.person_key = c.resolved_person_key and s.is_conflict)
)
and (
    cast(:scout_id as integer) is null
    or exists (
        select from scout.v_claim_scouts as s
        where s.person_key = c.resolved_person_key and s.scout_id = cast(:scout_id as integer)
    )
)
and (
    cast(:bucket as text) is null
    or exists (
        select from scout.v_claim_scouts as s
        where s.person_key = c.resolved_person_key and s.scout_quality_bucket = :bucket
    )
)
and (
    cast(:driver_ids as text[]) is null
    or c.driver_id = any(cast(:driver_ids as text[]))
    or (cast(:is_driver_unknown as boolean) and c.driver_id is null)
)
and (
    cast(:milestone_keys as integer[]) is null
    or coalesce(c.milestone_value, -2147483648) = any(cast(:milestone_keys as integer[]))
)
and (cast(:overdue_bucket as text) is null or c.overdue_bucket_yango = :overdue_bucket)
and (cast(:payment_status as text) is null or c.yango_payment_status = :payment_status)
and (not cast(:unpaid_only as boolean) or c.is_unpaid)
and (cast(:driver as text) is null or starts_with(c.driver_id, cast(:driver as text)))
and (cast(:key_from as uuid) is null or c.person_key >= cast(:key_from as uuid))
and (cast(:key_to as uuid) is null or c.person_key <= cast(:key_to as uuid));

-- name: with_scouts
-- The rows of another statement (as listed), each with its scout: as in ops.v_yango_collection_with_scout.
-- person_keys null = those of everybody.
select
    c.*,
    a.scout_id,
    a.scout_name,
    a.scout_is_active,
    coalesce(a.scout_quality_bucket, 'MISSING') as scout_quality_bucket,
    a.scout_id is not null as is_scout_resolved,
    a.scout_attribution_date,
    coalesce(a.is_conflict, false) as is_conflict
from listed as c
left join scout.v_claim_scouts as a
    on a.person_key = c.resolved_person_key
    and (cast(:person_keys as uuid[]) is null or a.person_key = any(cast(:person_keys as uuid[])));

-- name: scout_names
select
    s.scout_id,
    s.scout_name,
    s.is_active as scout_is_active
from scout.v_scout_names as s
where s.scout_id = any(cast(:scout_ids as integer[]));

-- name: list_persons
-- The persons of a page, as list_claims names them; null among them = a claim that leads to nobody.
select k.person_key as resolved_person_key
from unnest(cast(:person_keys as uuid[])) as k (person_key);
