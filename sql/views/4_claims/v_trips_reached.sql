-- One row per cabinet payment row that shows trips of a person: under its person_key, else its driver's.
create or replace view scout.v_trips_reached as
select
    p.person_key,
    p.trips_reached,
    p.paid_on
from scout.src_cabinet_payments as p
where p.person_key is not null and p.trips_reached is not null
union all
select
    l.person_key,
    p.trips_reached,
    p.paid_on
from scout.src_cabinet_payments as p
inner join canon.identity_links as l
    on l.source_table = 'drivers' and l.source_pk = p.driver_id
where p.person_key is null and p.trips_reached is not null;
