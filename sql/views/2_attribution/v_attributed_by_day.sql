-- One row per Lima day on which persons were linked or attributed: how many, by source.
create or replace view scout.v_attributed_by_day as
select
    a.on_date,
    count(distinct a.person_key) filter (where a.source_name = 'module_ct_scouting_daily') as scouting_daily_count,
    count(distinct a.person_key) filter (where a.source_name = 'module_ct_cabinet_leads') as cabinet_leads_count,
    count(distinct a.person_key) filter (where a.source_name = 'lead_ledger') as lead_ledger_count
from (
    select
        k.person_key,
        k.source_table::text as source_name,
        scout.lima_date(scout.sane_timestamp(k.linked_at)) as on_date
    from canon.identity_links as k
    where k.source_table in ('module_ct_scouting_daily', 'module_ct_cabinet_leads')
    union all
    select
        l.person_key,
        'lead_ledger' as source_name,
        scout.lima_date(scout.sane_timestamp(l.updated_at)) as on_date
    from observational.lead_ledger as l
    where l.attributed_scout_id is not null
) as a
where a.on_date is not null
group by a.on_date;
