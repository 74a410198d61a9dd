-- One row per Lima day on which persons were linked or attributed: how many, by source.
create or replace view scout.v_attributed_by_day as
select
    d.on_date,
    coalesce(sum(d.person_count) filter (where d.kind = 'scouting_daily'), 0)::bigint as scouting_daily_count,
    coalesce(sum(d.person_count) filter (where d.kind = 'cabinet_leads'), 0)::bigint as cabinet_leads_count,
    coalesce(sum(d.person_count) filter (where d.kind = 'attributed'), 0)::bigint as lead_ledger_count
from scout.v_attribution_days as d
where d.on_date > '-infinity' and d.kind <> 'registered'
group by d.on_date;
