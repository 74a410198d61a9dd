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
    s.eligible_7d,
    case
        -- most have none
        when m.milestone_reached is not null
            -- as scout.amount_payable: who reads this view may not call what reads the rules
            then (
                select r.amount_pen
                from scout.v_payment_amounts as r
                where r.milestone_value = m.milestone_reached
                    and (r.origin_tag is null or r.origin_tag = (a.best).origin_tag)
                order by r.origin_tag nulls last
                limit 1
            )
    end::numeric(12, 2) as amount_payable,
    s.payment_status,
    s.block_reason,
    o.other_scout_id as paid_to_other_scout_id
from scout.v_person_attribution as a
left join scout.v_person_claims as m
    on m.person_key = a.person_key
left join scout.v_milestone_days as t
    on t.person_key = a.person_key and t.trips_reached = m.milestone_reached
left join scout.v_person_payouts as p
    on p.person_key = a.person_key
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
where (a.best).scout_id is not null;
comment on column ops.v_scout_payment_base.milestone_reached is 'Highest milestone of the person''s claims; null without a claim.';
comment on column ops.v_scout_payment_base.milestone_date is 'First day on which a cabinet payment row shows that milestone; null when none does.';
comment on column ops.v_scout_payment_base.eligible_7d is 'The milestone came within seven days of the attribution; null while a date is unknown.';
comment on column ops.v_scout_payment_base.amount_payable is 'Soles, from the active payment rules; null without a rule that fits, and where several are active for the same origin and milestone.';
comment on column ops.v_scout_payment_base.payment_status is
'PAID when the liquidation ledger paid this scout for this milestone or a higher one and did not take it back, BLOCKED (see block_reason), ELIGIBLE with a milestone that is in time or whose day is unknown, else PENDING.';
comment on column ops.v_scout_payment_base.block_reason is 'CONFLICT (open), NO_IDENTITY (no identity link at all) or null.';
comment on column ops.v_scout_payment_base.paid_to_other_scout_id is 'Another scout whom the liquidation ledger paid for the person (the lowest number); null when there is none.';
