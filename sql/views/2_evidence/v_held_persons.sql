-- One row per person under a hold that nobody has released.
create or replace view scout.v_held_persons as
select
    h.person_key,
    min(h.held_at) as held_at
from scout.holds as h
where h.subject = 'person' and h.released_at is null
group by h.person_key;
