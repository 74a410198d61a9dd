-- Persons without a scout in the ledger, in exactly one category and with one reason.

-- name: list_missing
select
    p.person_key::text as person_key,
    p.category,
    r.reason_code,
    case when p.event_scout_min = p.event_scout_max then p.event_scout_min end as scout_id,
    p.event_source_tables as source_tables,
    p.event_origin_tags as origin_tags,
    p.first_event_date,
    p.last_event_date,
    p.event_count,
    p.conflict_kind is not null as is_conflict,
    p.is_lead,
    m.at_stake_pen,
    -- only scouting rows hold phones and licences, so few persons are looked up
    case when p.scouting_evidence_count > 0 then (
        select min(e.driver_phone) from ops.v_scout_attribution_raw as e
        where e.person_key = p.person_key and e.priority = 4
    ) end as driver_phone,
    case when p.scouting_evidence_count > 0 then (
        select min(e.driver_license) from ops.v_scout_attribution_raw as e
        where e.person_key = p.person_key and e.priority = 4
    ) end as driver_license,
    coalesce(p.last_event_date, '-infinity') as newest_key,
    p.person_key as row_key,
    coalesce(p.first_event_date, 'infinity') as oldest_key
from scout.v_persons_now as p
cross join lateral scout.reason_now(p.reason_code, p.event_scout_min) as r
left join scout.v_person_claims as m
    on m.person_key = p.person_key
where p.category is not null
    and (cast(:category as text) is null or p.category = :category)
    and (cast(:reason_code as text) is null or r.reason_code = :reason_code)
    and (cast(:scout_id as integer) is null or (p.event_scout_min = cast(:scout_id as integer) and p.event_scout_max = cast(:scout_id as integer)))
    and (cast(:source as text) is null or p.event_source_tables @> array[cast(:source as text)])
    and (not cast(:lead_only as boolean) or p.is_lead)
    and (cast(:since as date) is null or p.last_event_date >= cast(:since as date))
    and (cast(:until as date) is null or p.last_event_date <= cast(:until as date))
    and (cast(:key_from as uuid) is null or p.person_key >= cast(:key_from as uuid))
    and (cast(:key_to as uuid) is null or p.person_key <= cast(:key_to as uuid));

-- name: count_settled
select coalesce(sum(t.person_count), 0)::bigint as row_count
from scout.v_backlog_totals as t
where (cast(:category as text) is null or t.category = :category)
    and (cast(:reason_code as text) is null or t.reason_code = :reason_code);

-- name: count_reasons
-- How many persons is kept as totals; only what is at stake is summed, over the persons with claims.
with stakes as (
    select
        p.category,
        r.reason_code,
        sum(m.at_stake_pen) as amount_pen,
        count(m.at_stake_pen) as known_count
    from scout.v_person_claims as m
    inner join scout.v_persons_now as p
        on p.person_key = m.person_key
    cross join lateral scout.reason_now(p.reason_code, p.event_scout_min) as r
    where p.category is not null
    group by p.category, r.reason_code
)

select
    t.category,
    t.reason_code,
    t.row_count,
    s.amount_pen,
    coalesce(s.known_count, 0) as known_count
from (
    select
        b.category,
        b.reason_code,
        sum(b.person_count)::bigint as row_count
    from scout.v_backlog_totals as b
    where (cast(:category as text) is null or b.category = :category)
        and (cast(:reason_code as text) is null or b.reason_code = :reason_code)
    group by b.category, b.reason_code
) as t
left join stakes as s
    on s.category = t.category and s.reason_code = t.reason_code
order by t.category, t.reason_code;
