-- The base of the liquidation: persons with a scout, what the scout could be paid, and why not.

-- name: list_base
select
    b.person_key::text as person_key,
    b.driver_id,
    b.scout_id,
    coalesce(s.raw_name, s.scout_name_normalized) as scout_name,
    b.origin_tag,
    b.source_table,
    b.source_pk,
    b.attribution_date,
    b.milestone_reached,
    b.milestone_date,
    b.eligible_7d,
    b.amount_payable,
    b.payment_status,
    b.block_reason,
    coalesce(b.attribution_date, '-infinity') as newest_key,
    b.person_key as row_key,
    coalesce(b.amount_payable, '-infinity') as amount_key
from ops.v_scout_payment_base as b
left join ops.v_dim_scouts as s
    on s.scout_id = b.scout_id
where (cast(:payment_status as text) is null or b.payment_status = :payment_status)
    and (cast(:block_reason as text) is null or b.block_reason = :block_reason)
    and (cast(:scout_id as integer) is null or b.scout_id = cast(:scout_id as integer))
    and (cast(:since as date) is null or b.attribution_date >= cast(:since as date))
    and (cast(:until as date) is null or b.attribution_date <= cast(:until as date))
    and (cast(:key_from as uuid) is null or b.person_key >= cast(:key_from as uuid))
    and (cast(:key_to as uuid) is null or b.person_key <= cast(:key_to as uuid));
