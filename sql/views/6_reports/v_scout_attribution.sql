-- One row per person with evidence: the canonical scout, by source priority, then newest.
create or replace view ops.v_scout_attribution as
select
    p.person_key,
    (p.best).driver_id as driver_id,
    (p.best).driver_license as driver_license,
    (p.best).driver_phone as driver_phone,
    (p.best).scout_id as scout_id,
    (p.best).acquisition_method as acquisition_method,
    (p.best).source_table as source_table,
    (p.best).source_pk as source_pk,
    (p.best).attribution_date as attribution_date,
    (p.best).created_at as created_at,
    (p.best).priority as priority,
    p.conflict_kind is not null as is_conflict,
    (p.best).origin_tag as origin_tag
from scout.v_person_attribution as p
where (p.best).scout_id is not null;
comment on column ops.v_scout_attribution.is_conflict is 'The person has an open conflict: see ops.v_scout_attribution_conflicts.';
