-- One row per person with evidence: the canonical scout, by source priority, then newest.
create or replace view ops.v_scout_attribution as
select
    c.person_key,
    c.driver_id,
    c.driver_license,
    c.driver_phone,
    c.scout_id,
    c.acquisition_method,
    c.source_table,
    c.source_pk,
    c.attribution_date,
    c.created_at,
    c.priority,
    o.person_key is not null as is_conflict,
    c.origin_tag
from (
    select distinct on (e.person_key)
        e.person_key,
        e.driver_id,
        e.driver_license,
        e.driver_phone,
        e.scout_id,
        e.origin_tag,
        e.acquisition_method,
        e.source_table,
        e.source_pk,
        e.attribution_date,
        e.created_at,
        e.priority
    from ops.v_scout_attribution_raw as e
    where e.person_key is not null
    order by
        e.person_key,
        e.priority,
        e.attribution_date desc nulls last,
        e.created_at desc nulls last,
        e.scout_id,
        e.source_table,
        e.source_pk
) as c
left join scout.v_open_conflicts as o
    on o.person_key = c.person_key;
comment on column ops.v_scout_attribution.is_conflict is 'The person has an open conflict: see ops.v_scout_attribution_conflicts.';
