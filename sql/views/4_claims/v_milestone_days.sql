-- One row per person and number of trips: the first day on which a cabinet payment row shows them.
create or replace view scout.v_milestone_days as
select
    f.person_key,
    f.trips_reached,
    min(f.paid_on) as milestone_date
from scout.v_trips_reached as f
group by f.person_key, f.trips_reached;
