-- One row: persons who get a scout once the planned links are there.
select count(*) as person_count
from scout.v_propagation_candidates as c
where not exists (
    select from scout.planned_links as l
    where l.run_id = :run_id and l.person_key = c.person_key and l.scout_id <> c.scout_id
);
