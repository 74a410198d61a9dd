-- One row per scout of the list; one listed twice is taken active first, then newest.
create or replace view ops.v_dim_scouts as
select distinct on (l.scout_id)
    l.scout_id,
    l.raw_name,
    nullif(btrim(regexp_replace(upper(coalesce(l.scout_name, l.raw_name)), '\s+', ' ', 'g')), '') as scout_name_normalized,
    coalesce(l.is_active, false) as is_active,
    l.created_at,
    l.updated_at
from scout.src_scouts_list as l
where l.scout_id is not null
order by
    l.scout_id,
    coalesce(l.is_active, false) desc,
    l.updated_at desc nulls last,
    l.created_at desc nulls last,
    l.raw_name;
comment on column ops.v_dim_scouts.scout_name_normalized is 'Upper case, single blanks; the list''s name, else its raw name.';
