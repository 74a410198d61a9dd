-- One row per cabinet lead whose person has no scout in the ledger, or that leads to nobody.
create or replace view ops.v_cabinet_leads_missing_scout_alerts as
select
    c.cabinet_lead_id,
    c.external_id,
    c.lead_created_at,
    p.person_key,
    case when p.event_scout_min = p.event_scout_max then p.event_scout_min end as potential_scout_id,
    coalesce(p.event_scout_min is not null, false) as has_scout_in_events
from scout.src_cabinet_leads as c
left join canon.identity_links as l
    on l.source_table = 'module_ct_cabinet_leads'
    and l.source_pk = coalesce(c.external_id, c.cabinet_lead_id::text)
left join scout.v_person_attribution as p
    on p.person_key = l.person_key
where p.ledger_scout_id is null;
comment on column ops.v_cabinet_leads_missing_scout_alerts.potential_scout_id is 'The scout of the person''s events, when they name exactly one. A hint, never written.';
