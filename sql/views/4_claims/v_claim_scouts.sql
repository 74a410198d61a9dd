-- One row per person with a scout: what a claim of the person says of it.
create or replace view scout.v_claim_scouts as
select
    a.person_key,
    a.scout_id,
    s.scout_name,
    s.scout_name_normalized,
    s.is_active as scout_is_active,
    case a.priority
        when 1 then 'SATISFACTORY_LEDGER'
        when 2 then 'EVENTS_ONLY'
        when 3 then 'MIGRATIONS_ONLY'
        when 4 then 'SCOUTING_DAILY_ONLY'
        when 5 then 'CABINET_PAYMENTS_ONLY'
    end as scout_quality_bucket,
    a.source_table as scout_source_table,
    a.attribution_date as scout_attribution_date,
    a.priority as scout_priority,
    a.is_conflict
from ops.v_scout_attribution as a
left join scout.v_scout_names as s
    on s.scout_id = a.scout_id;
