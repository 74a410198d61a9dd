-- One row per claim with its person: the claim's own, else the one that its driver is linked to. Two arms, so
-- that a filter on the person reaches the claim and, by its driver, the link; a list takes its page from each.
create or replace view scout.v_claims as
select c.*
from scout.v_claims_of_persons as c
union all
select d.*
from scout.v_claims_of_drivers as d;
