-- One row per person for whom a scout was paid: the soles, and the highest milestone that was paid.
-- is_paid_for_any: some payment names no milestone.
create or replace view scout.v_person_payouts as
select
    l.person_key,
    sum(l.amount_pen) as paid_pen,
    max(l.milestone_value) as milestone_paid,
    bool_or(l.milestone_value is null) as is_paid_for_any
from scout.src_liquidation_ledger as l
group by l.person_key;
