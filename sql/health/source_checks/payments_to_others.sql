-- A scout was paid for a person whose scout is another one.
-- severity: WARN
-- One row per person. What was taken back again is not paid.
select
    'ops.scout_liquidation_ledger' as source_table,
    p.person_key::text as source_pk,
    p.person_key,
    'paid_scout=' || o.other_scout_id || '; scout=' || (a.best).scout_id as detail,
    null::date as on_date
from scout.v_person_payouts as p
inner join scout.v_person_attribution as a on a.person_key = p.person_key
cross join lateral scout.payouts_to((a.best).scout_id, p.paid_scout_ids, p.paid_milestones) as o
where o.other_scout_id is not null;
