-- Persons without a scout in the ledger, in exactly one category and with one reason.

-- name: list_missing
select
    b.person_key::text as person_key,
    b.category,
    b.reason_code,
    b.scout_id,
    b.source_tables,
    b.origin_tags,
    b.first_event_date,
    b.last_event_date,
    b.event_count,
    b.is_conflict,
    b.is_lead,
    m.at_stake_pen,
    (
        select min(e.driver_phone) from ops.v_scout_attribution_raw as e
        where e.person_key = b.person_key
    ) as driver_phone,
    (
        select min(e.driver_license) from ops.v_scout_attribution_raw as e
        where e.person_key = b.person_key
    ) as driver_license,
    coalesce(b.last_event_date, '-infinity') as newest_key,
    b.person_key as row_key,
    coalesce(b.first_event_date, 'infinity') as oldest_key
from ops.v_persons_without_scout_categorized as b
left join (
    select
        v.resolved_person_key as person_key,
        case
            when count(*) filter (where v.yango_payment_status is distinct from 'PAID') = 0 then 0
            else sum(v.expected_amount) filter (where v.yango_payment_status is distinct from 'PAID')
        end as at_stake_pen
    from scout.v_claims as v
    group by v.resolved_person_key
) as m
    on m.person_key = b.person_key
where (cast(:category as text) is null or b.category = :category)
    and (cast(:reason_code as text) is null or b.reason_code = :reason_code)
    and (cast(:scout_id as integer) is null or b.scout_id = cast(:scout_id as integer))
    and (cast(:source as text) is null or b.source_tables @> array[cast(:source as text)])
    and (not cast(:lead_only as boolean) or b.is_lead)
    and (cast(:since as date) is null or b.last_event_date >= cast(:since as date))
    and (cast(:until as date) is null or b.last_event_date <= cast(:until as date))
    and (cast(:key_from as uuid) is null or b.person_key >= cast(:key_from as uuid))
    and (cast(:key_to as uuid) is null or b.person_key <= cast(:key_to as uuid));
