-- The lead ledger: every satisfactory person, and 159 of 2,033 who are in it without a scout.
insert into observational.lead_ledger (
    person_key,
    attributed_source,
    attributed_scout_id,
    attribution_rule,
    attribution_score,
    confidence_level,
    evidence_json,
    decision_status,
    updated_at
)
with
without_scout as (
    select
        p.*,
        row_number() over (order by (p.cohort = 'd_ledger') desc, p.n) as position
    from demo_persons as p
    where p.cohort = 'd_ledger' or p.category = 'A'
),

wanted as (
    select
        round(518 * s.persons / 2033.0)
        - (select count(*) from demo_persons where category = 'S') as without_scout
    from demo_settings as s
),

rows_of_ledger as (
    select
        person_key,
        draw,
        today,
        days,
        scout_id,
        case
            when cohort like 's_migration%' then 'module_ct_migrations'
            when cohort like 's_scouting%' then 'module_ct_scouting_daily'
            when cohort = 's_payment' then 'module_ct_cabinet_payments'
            else 'module_ct_cabinet_leads'
        end as attributed_source
    from demo_persons
    where category = 'S'
    union all
    select
        w.person_key,
        w.draw,
        w.today,
        w.days,
        null,
        null
    from without_scout as w
    inner join wanted on w.position <= greatest(wanted.without_scout, 1)
)

select
    person_key,
    attributed_source,
    scout_id,
    case
        when scout_id is not null
            then (array['SCOUTING_MATCH', 'MANUAL', 'SCOUT_OF_EVENT'])[
                1 + floor(3 * pg_temp.share(draw, 'rule'))::integer
            ]
    end,
    case when scout_id is not null then 0.90 else 0 end,
    (case
        when scout_id is null then 'low'
        when pg_temp.share(draw, 'score') < 0.8 then 'high'
        else 'medium'
    end)::public.attributionconfidence,
    case when scout_id is not null then '{"source": "demo"}'::jsonb end,
    (case when scout_id is not null then 'assigned' else 'unassigned' end)::public.decisionstatus,
    pg_temp.days_ago(today, days * (0.95 - 0.2 * pg_temp.share(draw, 'ledger')))
from rows_of_ledger;
