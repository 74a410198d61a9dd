-- One row per claim that names no person, with the one that its driver is linked to. All columns of
-- scout.src_claims.
create or replace view scout.v_claims_of_drivers as
select
    c.*,
    l.person_key as resolved_person_key
from scout.src_claims as c
left join canon.identity_links as l
    on l.source_table = 'drivers' and l.source_pk = c.driver_id
where c.person_key is null;
