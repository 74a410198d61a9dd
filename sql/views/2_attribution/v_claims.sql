-- One row per claim with its person: the claim's own, else the one that its driver is linked to.
create or replace view scout.v_claims as
select
    c.*,
    coalesce(c.person_key, l.person_key) as resolved_person_key
from scout.src_claims as c
left join canon.identity_links as l
    on l.source_table = 'drivers' and l.source_pk = c.driver_id;
