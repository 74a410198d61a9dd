-- One row per claim that names its person. All columns of scout.src_claims.
create or replace view scout.v_claims_of_persons as
select
    c.*,
    c.person_key as resolved_person_key
from scout.src_claims as c
where c.person_key is not null;
