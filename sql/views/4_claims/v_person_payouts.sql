-- One row per person in the liquidation ledger: the soles paid in the end, and to whom for which milestones, as two
-- arrays in step (milestone null = the payment names none). What was taken back again is not paid: the payments for a
-- milestone, of a scout and of the person must each come to more than nothing. Amounts that are unknown count as some.
create or replace view scout.v_person_payouts as
select
    k.person_key,
    sum(k.paid_pen) as paid_pen,
    coalesce(array_agg(k.scout_id order by k.scout_id, k.milestone_value) filter (where k.is_paid), '{}') as paid_scout_ids,
    coalesce(array_agg(k.milestone_value order by k.scout_id, k.milestone_value) filter (where k.is_paid), '{}') as paid_milestones
from (
    select
        l.person_key,
        l.scout_id,
        l.milestone_value,
        sum(l.amount_pen) as paid_pen,
        sum(coalesce(l.amount_pen, 1)) > 0
        and sum(sum(coalesce(l.amount_pen, 1))) over (partition by l.person_key, l.scout_id) > 0
        and sum(sum(coalesce(l.amount_pen, 1))) over (partition by l.person_key) > 0 as is_paid
    from scout.src_liquidation_ledger as l
    where l.is_paid
    group by l.person_key, l.scout_id, l.milestone_value
) as k
group by k.person_key;
