-- One row per person with a scout: the base of the liquidation. It pays nothing. Unknown is null, never zero.
create or replace view ops.v_scout_payment_base as
select
    a.person_key,
    coalesce((a.best).driver_id, a.linked_driver_id) as driver_id,
    (a.best).scout_id as scout_id,
    (a.best).origin_tag as origin_tag,
    (a.best).source_table as source_table,
    (a.best).source_pk as source_pk,
    (a.best).attribution_date as attribution_date,
    m.milestone_reached,
    t.milestone_date,
    t.milestone_date between (a.best).attribution_date and (a.best).attribution_date + 7 as eligible_7d,
    w.amount_pen as amount_payable,
    case
        when p.person_key is not null then 'PAID'
        when b.block_reason is not null then 'BLOCKED'
        when m.milestone_reached is not null
            and coalesce(t.milestone_date between (a.best).attribution_date and (a.best).attribution_date + 7, true) then 'ELIGIBLE'
        else 'PENDING'
    end as payment_status,
    b.block_reason
from scout.v_person_attribution as a
left join (
    select
        c.resolved_person_key as person_key,
        max(c.milestone_value) as milestone_reached
    from scout.v_claims as c
    group by c.resolved_person_key
) as m
    on m.person_key = a.person_key
left join (
    -- the day on which a cabinet payment row first shows that many trips
    select
        f.person_key,
        f.trips_reached,
        min(f.paid_on) as milestone_date
    from scout.v_trips_reached as f
    group by f.person_key, f.trips_reached
) as t
    on t.person_key = a.person_key and t.trips_reached = m.milestone_reached
left join (
    -- paid for this milestone or a higher one; a lower one paid leaves the higher one to pay
    select
        l.person_key,
        max(l.milestone_value) as milestone_paid,
        bool_or(l.milestone_value is null) as is_paid_for_any
    from scout.src_liquidation_ledger as l
    group by l.person_key
) as p
    on p.person_key = a.person_key
    and (p.is_paid_for_any or m.milestone_reached is null or p.milestone_paid >= m.milestone_reached)
left join lateral (
    -- a rule for the origin goes before one for any origin
    select r.amount_pen
    from scout.src_payment_rules as r
    where r.milestone_value = m.milestone_reached and (r.origin_tag is null or r.origin_tag = (a.best).origin_tag)
    order by r.origin_tag nulls last, r.amount_pen
    limit 1
) as w on true
cross join lateral (
    select
        case
            when a.conflict_kind is not null then 'CONFLICT'
            when not a.has_identity_link then 'NO_IDENTITY'
        end as block_reason
) as b
where (a.best).scout_id is not null;
comment on column ops.v_scout_payment_base.milestone_reached is 'Highest milestone of the person''s claims; null without a claim.';
comment on column ops.v_scout_payment_base.milestone_date is 'First day on which a cabinet payment row shows that milestone; null when none does.';
comment on column ops.v_scout_payment_base.eligible_7d is 'The milestone came within seven days of the attribution; null while a date is unknown.';
comment on column ops.v_scout_payment_base.amount_payable is 'Soles, from the active payment rules; null without a rule that fits.';
comment on column ops.v_scout_payment_base.payment_status is
'PAID when the liquidation ledger paid this milestone or a higher one, BLOCKED (see block_reason), ELIGIBLE with a milestone in time, else PENDING.';
comment on column ops.v_scout_payment_base.block_reason is 'CONFLICT (open), NO_IDENTITY (no identity link at all) or null.';
