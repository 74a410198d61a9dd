-- One row per person with claims: how many, the highest milestone, and the soles that Yango has not paid: zero
-- when it paid all, null when their amounts are unknown.
create or replace view scout.v_person_claims as
select
    c.resolved_person_key as person_key,
    count(*) as claim_count,
    count(*) filter (where c.is_unpaid) as unpaid_claim_count,
    case
        when count(*) filter (where c.is_unpaid) = 0 then 0
        else sum(c.expected_amount) filter (where c.is_unpaid)
    end as at_stake_pen,
    max(c.milestone_value) as milestone_reached
from scout.v_claims as c
where c.resolved_person_key is not null
group by c.resolved_person_key;
