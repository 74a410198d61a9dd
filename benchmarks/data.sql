-- Bench data of :persons invented persons: all of them get a scout from their events, half have a ledger row,
-- as many scouting rows wait for a link (half match by licence, 3 in 10 by phone, 15 in 100 found a person).
insert into public.module_ct_scouts_list (scout_id, raw_name, name, is_active)
select
    g.n,
    'Scout ' || g.n,
    'SCOUT ' || g.n,
    true
from generate_series(1, 50) as g (n);

insert into canon.identity_registry (person_key, created_at, confidence_level, primary_phone, primary_license)
select
    md5('bench ' || g.n)::uuid,
    now() - (g.n % 90) * interval '1 day',
    'HIGH',
    (910000000 + g.n)::text,
    'Q' || lpad(g.n::text, 8, '0')
from generate_series(1, :persons) as g (n);

insert into observational.lead_events (source_table, source_pk, event_date, person_key, scout_id, payload_json)
select
    'module_ct_cabinet_leads',
    g.n || '-' || k.n,
    current_date - (g.n % 90)::integer,
    md5('bench ' || g.n)::uuid,
    case when k.n = 0 then 1 + g.n % 50 end,
    case when k.n = 1 then jsonb_build_object('scout_id', 1 + g.n % 50, 'origin_tag', 'cabinet') end
from generate_series(1, :persons) as g (n)
cross join generate_series(0, 1) as k (n)
where k.n = 0 or g.n % 2 = 0;

insert into observational.lead_ledger (
    person_key, attributed_source, attribution_rule, attribution_score, confidence_level, evidence_json, decision_status
)
select
    md5('bench ' || g.n)::uuid,
    'module_ct_cabinet_leads',
    'LEAD',
    0.5,
    'low',
    '{"note": "from the owner"}',
    'unassigned'
from generate_series(1, :persons) as g (n)
where g.n % 2 = 0;

insert into public.module_ct_scouting_daily (
    scout_id, driver_name, driver_phone, driver_license, registration_date, acquisition_method
)
select
    1 + g.n % 50,
    'Persona ' || g.n,
    case
        when g.n % 20 = 19 then 'no tiene'
        when g.n % 20 between 16 and 18 then '+51 ' || (950000000 + g.n)::text
        else (910000000 + g.n)::text
    end,
    case
        when g.n % 20 < 10 then 'q-' || lpad(g.n::text, 8, '0')
        when g.n % 20 between 16 and 18 then 'X' || lpad(g.n::text, 8, '0')
        else 'NO TIENE'
    end,
    current_date - (g.n % 90)::integer,
    'campo'
from generate_series(1, :persons) as g (n);
