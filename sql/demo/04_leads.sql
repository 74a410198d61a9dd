-- Cabinet leads, migrations and cabinet payments, with ids in the order of time, and their links.
create temp table demo_leads on commit drop as
with
-- Leads of the persons, then one more lead each until there are 1,276 events for 2,033 persons.
further as (
    select
        e.events_wanted,
        span.first_n,
        span.person_count
    from (
        select
            round(1276 * s.persons / 2033.0)::bigint
            - (select count(*) from demo_evidence where event is not null)
            - greatest(3, round(25 * s.persons / 2033.0))::bigint as events_wanted
        from demo_settings as s
    ) as e
    cross join (
        select
            min(n) as first_n,
            count(*) as person_count
        from demo_persons
        where category in ('A', 'S') and cohort <> 's_no_link'
    ) as span
),

unnumbered as (
    select
        n,
        ordinal,
        person_key,
        link,
        event,
        scout_id,
        other_scout_id,
        draw,
        happened_at
    from demo_evidence
    where source = 'lead'
    union all
    select
        p.n,
        10 + m.m / f.person_count as ordinal,
        p.person_key,
        case when pg_temp.share(p.draw, 'lead link' || m.m) < 0.7 then 'row' end as link,
        'bare' as event,
        null as scout_id,
        null as other_scout_id,
        hashint8extended(p.draw, m.m) as draw,
        pg_temp.days_ago(p.today, p.days * (0.1 + 0.8 * pg_temp.share(p.draw, 'lead' || m.m)))
            as happened_at
    from further as f
    cross join lateral generate_series(0, f.events_wanted - 1) as m (m)
    inner join demo_persons as p on f.first_n + m.m % f.person_count = p.n
    union all
    -- Leads of nobody: some have an event, some not even that.
    select
        -m.m as n,
        1 as ordinal,
        null as person_key,
        null as link,
        case when m.m % 7 < 5 then 'bare' end as event,
        null as scout_id,
        null as other_scout_id,
        hashint8extended(-m.m, s.seed) as draw,
        pg_temp.days_ago(
            s.today, 0.3 + 100 * (1 - sqrt(pg_temp.share(hashint8extended(-m.m, s.seed), 'age')))
        ) as happened_at
    from demo_settings as s
    cross join lateral generate_series(
        0, greatest(3, round(25 * s.persons / 2033.0))::bigint * 7 / 5 - 1
    ) as m (m)
),

numbered as (
    select
        *,
        row_number() over (order by happened_at, n, ordinal) as id
    from unnumbered
)

select
    *,
    case when pg_temp.share(draw, 'external') > 0.05 then 'LEAD-' || lpad(id::text, 7, '0') end
        as external_id
from numbered;

insert into public.module_ct_cabinet_leads (
    id,
    external_id,
    activation_city,
    active_1,
    active_5,
    active_10,
    active_15,
    active_25,
    active_50,
    active_100,
    first_name,
    last_name,
    last_active_date,
    lead_created_at,
    park_name,
    status,
    tariff,
    target_city,
    created_at
)
select
    id,
    external_id,
    'Lima',
    trips >= 1,
    trips >= 5,
    trips >= 10,
    trips >= 15,
    trips >= 25,
    trips >= 50,
    trips >= 100,
    'Persona',
    lpad(abs(n)::text, 6, '0'),
    case when trips >= 1 then happened_at::date end,
    happened_at,
    'Flota de prueba',
    case when trips >= 1 then 'active' else 'registered' end,
    'Comfort',
    'Lima',
    happened_at + interval '30 minutes'
from (
    select
        *,
        floor(120 * power(pg_temp.share(draw, 'trips'), 2))::integer as trips
    from demo_leads
) as l;

insert into demo_links (
    person_key,
    source_table,
    source_pk,
    match_rule,
    match_score,
    confidence_level,
    happened_at
)
select
    person_key,
    'module_ct_cabinet_leads',
    coalesce(external_id, id::text),
    'NAME_AND_DATE',
    75,
    'MEDIUM',
    happened_at
from demo_leads
where link is not null;

create temp table demo_migrations on commit drop as
select
    *,
    row_number() over (order by happened_at, n, ordinal) as id
from demo_evidence
where source = 'migration';

insert into public.module_ct_migrations (
    id,
    driver_id,
    driver_name,
    scout_id,
    scout_name,
    hire_date,
    created_at,
    updated_at
)
select
    id,
    case
        when link = 'driver' then driver_id else coalesce(driver_id, pg_temp.hex_key(seed, n, 'driver of migration'))
    end,
    full_name,
    scout_id,
    'Scout ' || lpad(scout_id::text, 2, '0'),
    date_trunc('day', happened_at),
    happened_at + interval '15 minutes',
    happened_at + interval '15 minutes'
from demo_migrations;

-- Migrations of drivers that nobody knows.
insert into public.module_ct_migrations (
    id,
    driver_id,
    driver_name,
    scout_id,
    hire_date,
    created_at,
    updated_at
)
select
    (select count(*) from demo_migrations) + g.m,
    pg_temp.hex_key(s.seed, g.m, 'unknown driver'),
    'Persona desconocida ' || g.m,
    1 + g.m % 8,
    s.today - 1,
    pg_temp.days_ago(s.today, 0.2),
    pg_temp.days_ago(s.today, 0.2)
from demo_settings as s
cross join lateral generate_series(1, greatest(1, s.persons / 400)) as g (m)
order by g.m;

insert into demo_links (
    person_key,
    source_table,
    source_pk,
    match_rule,
    match_score,
    confidence_level,
    happened_at
)
select
    person_key,
    'module_ct_migrations',
    id::text,
    'DRIVER_ID',
    100,
    'HIGH',
    happened_at
from demo_migrations
where link = 'row';

insert into public.module_ct_cabinet_payments (
    id,
    date,
    "time",
    scout_id,
    driver,
    trip_1,
    trip_5,
    trip_25,
    created_at,
    updated_at,
    driver_id,
    person_key
)
select
    row_number() over (order by happened_at, n),
    happened_at::date,
    happened_at::time(0),
    scout_id,
    full_name,
    true,
    trips >= 5,
    trips >= 25,
    happened_at + interval '15 minutes',
    happened_at + interval '15 minutes',
    paid_driver_id,
    paid_person_key
from (
    select
        n,
        full_name,
        happened_at,
        scout_id,
        60 * pg_temp.share(draw, 'trips') as trips,
        case when link = 'driver' then driver_id end as paid_driver_id,
        case when link = 'person' then person_key end as paid_person_key
    from demo_evidence
    where source = 'payment'
    union all
    -- Payments that name no scout, and payments for drivers that nobody knows.
    select
        -g.m,
        'Persona desconocida ' || g.m,
        pg_temp.days_ago(s.today, 0.2 + g.m % 90),
        case when g.m % 2 = 0 then 1 + g.m % 8 end,
        1 + g.m % 40,
        pg_temp.hex_key(s.seed, g.m, 'unknown driver'),
        null
    from demo_settings as s
    cross join lateral generate_series(1, greatest(2, s.persons / 200)) as g (m)
) as p;
