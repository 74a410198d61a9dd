-- Scouting rows with ids in the order of time, and the links that they have already.
create temp table demo_scouting on commit drop as
with
unnumbered as (
    select
        n,
        ordinal,
        null::text as form,
        null::bigint as stray,
        person_key,
        link,
        event,
        scout_id,
        other_scout_id,
        draw,
        full_name,
        case
            when keys = 'license' then null
            when keys = 'crossed' then pg_temp.written_phone(partner_phone, draw)
            else pg_temp.written_phone(phone, draw)
        end as phone,
        case
            when keys = 'phone' then null
            when keys = 'fresh license' then pg_temp.license_text(
                seed, n + (select 3 * persons + 5000000 from demo_settings)
            )
            else pg_temp.written_license(license, draw)
        end as license,
        happened_at
    from demo_evidence
    where source = 'scouting'
    union all
    select
        number as n,
        1 as ordinal,
        form,
        k as stray,
        null as person_key,
        null as link,
        null as event,
        scout_id,
        null as other_scout_id,
        draw,
        full_name,
        phone,
        license,
        happened_at
    from demo_strays
)

select
    *,
    row_number() over (order by happened_at, n, ordinal) as id
from unnumbered;

insert into public.module_ct_scouting_daily (
    id,
    scout_id,
    driver_name,
    driver_phone,
    driver_license,
    registration_date,
    acquisition_method,
    created_at
)
select
    id,
    scout_id,
    full_name,
    phone,
    license,
    -- rows that count for nobody carry the dates that somebody mistyped or left empty
    case
        when coalesce(form, '') <> 'no scout' then happened_at::date
        when stray = 1 then (happened_at + interval '1 year')::date
        when stray = 2 then date '1970-01-01'
        when stray = 3 then (happened_at - interval '2000 years')::date
        else happened_at::date
    end,
    (array['referido', 'volante', 'redes', 'feria'])[
        1 + floor(4 * pg_temp.share(draw, 'method'))::integer
    ],
    happened_at + interval '20 minutes'
from demo_scouting;

-- The nightly identity run of each day: number 1 was 121 days ago.
insert into ops.ingestion_runs (
    id,
    started_at,
    completed_at,
    status,
    stats,
    job_type,
    scope_date_from,
    scope_date_to
)
select
    g.day,
    s.today - 122 + g.day + time '23:30',
    s.today - 122 + g.day + time '23:41',
    'COMPLETED',
    '{"source": "demo"}',
    'identity_run',
    s.today - 122 + g.day,
    s.today - 122 + g.day
from demo_settings as s
cross join generate_series(1, 121) as g (day)
order by g.day;

-- One row per link to be. The older system named scouting rows by a hash of what they show.
create temp table demo_links on commit drop as
select
    person_key,
    'module_ct_scouting_daily' as source_table,
    case
        when link = 'id' then id::text
        else
            md5(
                concat_ws(
                    '|',
                    scout_id::text,
                    regexp_replace(phone, '[\s()+-]', '', 'g'),
                    upper(regexp_replace(license, '[\s-]', '', 'g')),
                    to_char(happened_at, 'YYYY-MM-DD')
                )
            )
    end as source_pk,
    'PHONE_AND_LICENSE' as match_rule,
    95 as match_score,
    'HIGH' as confidence_level,
    happened_at
from demo_scouting
where link is not null;

insert into canon.identity_unmatched (
    source_table,
    source_pk,
    snapshot_date,
    reason_code,
    details,
    status,
    created_at,
    resolved_at,
    run_id
)
select
    'module_ct_scouting_daily',
    d.id::text,
    d.happened_at,
    'MANUAL_REVIEW',
    '{"note": "demo: a person chose to leave this row"}',
    'IGNORED',
    d.happened_at,
    d.happened_at,
    d.happened_at::date - s.today + 122
from demo_scouting as d
cross join demo_settings as s
where d.form = 'ignored'
order by d.id;
