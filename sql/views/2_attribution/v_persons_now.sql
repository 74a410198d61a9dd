-- One row per registered person, exactly now: the settled row, but for touched persons the live one. Columns
-- and meaning as in scout.person_attribution; the list of scouts is not joined yet.
create or replace view scout.v_persons_now as
select s.*
from scout.person_attribution as s
where (select scout.reading()) = 'EXACT'
    and not exists (select from scout.pending_keys() as k (person_key) where k.person_key = s.person_key)
union all
select l.*
from scout.attribution_of(array(select k.person_key from scout.pending_keys() as k (person_key))) as l
union all
select s.*
from scout.person_attribution as s
where (select scout.reading()) = 'SETTLED'
union all
select a.*
from scout.all_attribution() as a;
