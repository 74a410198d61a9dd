-- One row per claim with its person: the claim's own, else the one that its driver is linked to. Two arms, so
-- that a filter on the person reaches the claim and, by its driver, the link.
create or replace view scout.v_claims as
select
    c.*,
    c.person_key as resolved_person_key
from scout.src_claims as c
where c.person_key is not null
union all
select
    c.*,
    l.person_key as resolved_person_key
from scout.src_claims as c
left join canon.identity_links as l
    on l.source_table = 'drivers' and l.source_pk = c.driver_id
where c.person_key is null;
