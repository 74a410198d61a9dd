-- Persons without a scout in the ledger, in exactly one category and with one reason.

-- name: list_missing
select
    p.person_key::text as person_key,
    p.category,
    case
        when p.reason_code = 'WAITING_FOR_NEXT_RUN'
            and (select count(*) from scout.v_known_scouts) > 0
            and p.event_scout_min not in (select k.scout_id from scout.v_known_scouts as k) then 'UNKNOWN_SCOUT'
        else p.reason_code
    end as reason_code,
    case when p.event_scout_min = p.event_scout_max then p.event_scout_min end as scout_id,
    p.event_source_tables as source_tables,
    p.event_origin_tags as origin_tags,
    p.first_event_date,
    p.last_event_date,
    p.event_count,
    p.conflict_kind is not null as is_conflict,
    p.is_lead,
    m.at_stake_pen,
    (
        select min(e.driver_phone) from ops.v_scout_attribution_raw as e
        where e.person_key = p.person_key
    ) as driver_phone,
    (
        select min(e.driver_license) from ops.v_scout_attribution_raw as e
        where e.person_key = p.person_key
    ) as driver_license,
    coalesce(p.last_event_date, '-infinity') as newest_key,
    p.person_key as row_key,
    coalesce(p.first_event_date, 'infinity') as oldest_key
from scout.v_persons_now as p
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
    on m.person_key = p.person_key
where p.category is not null
    and (cast(:category as text) is null or p.category = :category)
    and (
        cast(:reason_code as text) is null
        or case
            when p.reason_code = 'WAITING_FOR_NEXT_RUN'
                and (select count(*) from scout.v_known_scouts) > 0
                and p.event_scout_min not in (select k.scout_id from scout.v_known_scouts as k) then 'UNKNOWN_SCOUT'
            else p.reason_code
        end = :reason_code
    )
    and (cast(:scout_id as integer) is null or (p.event_scout_min = cast(:scout_id as integer) and p.event_scout_max = cast(:scout_id as integer)))
    and (cast(:source as text) is null or p.event_source_tables @> array[cast(:source as text)])
    and (not cast(:lead_only as boolean) or p.is_lead)
    and (cast(:since as date) is null or p.last_event_date >= cast(:since as date))
    and (cast(:until as date) is null or p.last_event_date <= cast(:until as date))
    and (cast(:key_from as uuid) is null or p.person_key >= cast(:key_from as uuid))
    and (cast(:key_to as uuid) is null or p.person_key <= cast(:key_to as uuid));
