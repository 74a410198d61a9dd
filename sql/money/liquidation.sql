-- The base of the liquidation: persons with a scout, what the scout could be paid, and why not.

-- name: list_base
-- As ops.v_scout_payment_base, over persons as the pages read them. person_keys null = all.
select
    a.person_key::text as person_key,
    coalesce((a.best).driver_id, a.linked_driver_id) as driver_id,
    (a.best).scout_id as scout_id,
    d.scout_name,
    (a.best).origin_tag as origin_tag,
    (a.best).source_table as source_table,
    (a.best).source_pk as source_pk,
    (a.best).attribution_date as attribution_date,
    m.milestone_reached,
    t.milestone_date,
    s.eligible_7d,
    w.amount_payable,
    s.payment_status,
    s.block_reason,
    o.other_scout_id as paid_to_other_scout_id,
    coalesce((a.best).attribution_date, '-infinity') as newest_key,
    a.person_key as row_key,
    (a.best).scout_id as scout_key,
    coalesce(w.amount_payable, '-infinity') as amount_key
from scout.v_persons_now as a
left join scout.v_scout_names as d
    on d.scout_id = (a.best).scout_id
left join scout.v_person_claims as m
    on m.person_key = a.person_key
    and (cast(:person_keys as uuid[]) is null or m.person_key = any(cast(:person_keys as uuid[])))
left join scout.v_milestone_days as t
    on t.person_key = a.person_key
    and t.trips_reached = m.milestone_reached
    and (cast(:person_keys as uuid[]) is null or t.person_key = any(cast(:person_keys as uuid[])))
left join scout.v_person_payouts as p
    on p.person_key = a.person_key
    and (cast(:person_keys as uuid[]) is null or p.person_key = any(cast(:person_keys as uuid[])))
cross join lateral (
    select
        case
            when m.milestone_reached is not null
                then (select r.amount_pen from scout.amount_payable(m.milestone_reached, (a.best).origin_tag) as r)
        end as amount_payable
) as w
cross join lateral scout.payouts_to((a.best).scout_id, p.paid_scout_ids, p.paid_milestones) as o
cross join lateral scout.payment_of(
    (a.best).attribution_date,
    a.conflict_kind,
    a.has_identity_link,
    m.milestone_reached,
    t.milestone_date,
    o.milestone_paid,
    o.is_paid_for_any
) as s
where (a.best).scout_id is not null
    and (cast(:person_keys as uuid[]) is null or a.person_key = any(cast(:person_keys as uuid[])))
    and (cast(:payment_status as text) is null or s.payment_status = :payment_status)
    and (cast(:block_reason as text) is null or s.block_reason = :block_reason)
    and (cast(:scout_id as integer) is null or (a.best).scout_id = cast(:scout_id as integer))
    and (cast(:since as date) is null or (a.best).attribution_date >= cast(:since as date))
    and (cast(:until as date) is null or (a.best).attribution_date <= cast(:until as date))
    and (cast(:key_from as uuid) is null or a.person_key >= cast(:key_from as uuid))
    and (cast(:key_to as uuid) is null or a.person_key <= cast(:key_to as uuid));

-- name: count_settled
select coalesce(sum(t.person_count), 0)::bigint as row_count
from scout.v_attribution_totals as t
where t.best_priority is not null;

-- name: count_statuses
-- Whoever has neither a claim nor a payout is kept as a total; the others are looked at.
with priced as materialized (
    select
        a.conflict_kind,
        a.has_identity_link,
        s.payment_status,
        s.block_reason,
        case
            when m.milestone_reached is not null
                then (select r.amount_pen from scout.amount_payable(m.milestone_reached, (a.best).origin_tag) as r)
        end as amount_payable
    from scout.v_person_claims as m
    full join scout.v_person_payouts as p
        on p.person_key = m.person_key
    inner join scout.v_persons_now as a
        on a.person_key = coalesce(m.person_key, p.person_key)
    left join scout.v_milestone_days as t
        on t.person_key = m.person_key and t.trips_reached = m.milestone_reached
    cross join lateral scout.payouts_to((a.best).scout_id, p.paid_scout_ids, p.paid_milestones) as o
    cross join lateral scout.payment_of(
        (a.best).attribution_date,
        a.conflict_kind,
        a.has_identity_link,
        m.milestone_reached,
        t.milestone_date,
        o.milestone_paid,
        o.is_paid_for_any
    ) as s
    where (a.best).scout_id is not null
),

others as (
    select
        o.conflict_kind,
        o.has_identity_link,
        sum(o.person_count) as person_count
    from (
        select
            t.conflict_kind,
            t.has_identity_link,
            t.person_count
        from scout.v_attribution_totals as t
        where t.best_priority is not null
        union all
        select
            p.conflict_kind,
            p.has_identity_link,
            -1 as person_count
        from priced as p
    ) as o
    group by o.conflict_kind, o.has_identity_link
    having sum(o.person_count) <> 0
)

select
    g.payment_status,
    g.block_reason,
    sum(g.row_count)::bigint as row_count,
    sum(g.amount_pen) as amount_pen,
    sum(g.known_count)::bigint as known_count
from (
    select
        p.payment_status,
        p.block_reason,
        1 as row_count,
        p.amount_payable as amount_pen,
        (p.amount_payable is not null)::integer as known_count
    from priced as p
    union all
    select
        s.payment_status,
        s.block_reason,
        o.person_count,
        null as amount_pen,
        0 as known_count
    from others as o
    cross join lateral scout.payment_of(null, o.conflict_kind, o.has_identity_link, null, null, null, null) as s
) as g
group by g.payment_status, g.block_reason
order by g.payment_status, g.block_reason;
