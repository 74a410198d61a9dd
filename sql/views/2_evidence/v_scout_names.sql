-- One row per scout of the list: what the pages and files call the scout.
create or replace view scout.v_scout_names as
select
    d.scout_id,
    coalesce(d.raw_name, d.scout_name_normalized) as scout_name,
    d.scout_name_normalized,
    d.is_active
from ops.v_dim_scouts as d;
comment on column scout.v_scout_names.scout_name is 'The raw name, else the normalised one; null without either.';
