-- The invented persons: who they are, in which situation, since when. Reads demo_settings (one row).
-- Nothing is random: all that varies is a hash of the seed, the number of the person and a salt.
create or replace function pg_temp.share(draw bigint, salt text)
returns double precision
language sql immutable parallel safe
as $$
    select
        (hashint8extended(draw, hashtextextended(salt, 0)) & 4294967295)
        / 4294967296.0::double precision
$$;

-- Another place for every number: the multiplier shares no factor with the modulus.
create or replace function pg_temp.place(seed bigint, number bigint)
returns bigint
language sql immutable parallel safe
as $$ select (number * 27644437 + abs(hashint8(seed)::bigint)) % 70000000 $$;

create or replace function pg_temp.phone_digits(seed bigint, number bigint)
returns text
language sql immutable parallel safe
as $$ select (910000000 + pg_temp.place(seed, number))::text $$;

create or replace function pg_temp.license_text(seed bigint, number bigint)
returns text
language sql immutable parallel safe
as $$ select 'Q' || (13571113 + pg_temp.place(seed, number)) $$;

-- 32 hexadecimal digits, another for every number. (A draw would not do: the hash functions of
-- integers see 32 bits, and a million draws have a few hundred twins in them.)
create or replace function pg_temp.hex_key(seed bigint, number bigint, salt text)
returns text
language sql immutable parallel safe
as $$
    select
        encode(
            int8send(hashint8extended(number, hashtextextended(salt, seed)))
            || int8send(hashint8extended(number, hashtextextended(salt, seed + 1))),
            'hex'
        )
$$;

-- A time between 07:00 and 21:00, so many days before today; never in the future.
create or replace function pg_temp.days_ago(today date, days double precision)
returns timestamp
language sql immutable parallel safe
as $$
    select
        (today - ceil(days)::integer) + interval '7 hours'
        + (ceil(days) - days) * interval '14 hours'
$$;

-- An initial and a surname that many have, so nobody in particular.
create or replace function pg_temp.scout_name(draw bigint)
returns text
language sql immutable parallel safe
as $$
    select
        substr('ABCEFGJLMNPRSVW', 1 + (15 * pg_temp.share(draw, 'initial'))::integer % 15, 1)
        || '. '
        || (array[
            'Quispe', 'Huamán', 'Flores', 'Mamani', 'Rojas', 'Vargas', 'Soto', 'Ramos', 'Condori', 'Ñahui', 'Castillo',
            'Torres', 'Chávez', 'Mendoza', 'Salazar', 'Núñez', 'Paredes', 'Ríos', 'Campos', 'León'
        ])[1 + (20 * pg_temp.share(draw, 'surname'))::integer % 20]
$$;

-- One row per situation. share = persons of 2,033; least = how many at any size; a twin shares its
-- phone or license with the next person, or is registered with that person's phone.
create temp table demo_cohorts on commit drop as
with
listed (cohort, category, share, least, driver_share, shows_license, twin) as (
    values
    ('c_driver', 'C', null, 1, 1.0, true, null),
    ('c_no_link', 'C', 12, 1, 0.0, true, null),
    ('c_scouting', 'C', 45, 2, 0.6, true, null),
    ('c_migration', 'C', 20, 1, 0.6, true, null),
    ('c_migration_driver', 'C', 10, 1, 1.0, true, null),
    ('c_payment', 'C', 8, 1, 0.5, true, null),
    ('c_payment_driver', 'C', 6, 1, 1.0, true, null),
    ('c_license_match', 'C', 45, 2, 0.5, true, null),
    ('c_license_of_driver', 'C', 10, 1, 1.0, false, null),
    ('c_phone_match', 'C', 14, 1, 0.0, false, null),
    ('c_phone_only', 'C', 14, 1, 0.5, true, null),
    ('c_shared_phone', 'C', 12, 2, 0.5, true, 'phone'),
    ('c_shared_license', 'C', 6, 2, 0.5, true, 'license'),
    ('c_crossed', 'C', 6, 2, 0.5, true, 'crossed'),
    ('c_other_license', 'C', 5, 1, 0.5, true, null),
    ('c_decided', 'C', 1, 1, 1.0, true, null),
    ('d_waiting', 'D', null, 1, 0.5, true, null),
    ('d_waiting_migration', 'D', 25, 1, 1.0, true, null),
    ('d_waiting_lead', 'D', 12, 1, 0.4, true, null),
    ('d_ledger', 'D', 6, 1, 0.5, true, null),
    ('d_several', 'D', 1, 1, 1.0, true, null),
    ('d_disagree', 'D', 1, 1, 1.0, true, null),
    ('d_other_disagrees', 'D', 1, 1, 1.0, true, null),
    ('d_unreadable', 'D', 4, 1, 1.0, true, null),
    ('d_unknown', 'D', 3, 1, 1.0, true, null),
    ('d_held', 'D', 2, 1, 1.0, true, null),
    ('d_decided', 'D', 1, 1, 1.0, true, null),
    ('d_new_evidence', 'D', 1, 1, 1.0, true, null),
    ('a_events', 'A', null, 1, 0.3, true, null),
    ('a_scouting', 'A', 26, 1, 0.4, true, null),
    ('a_migration', 'A', 6, 1, 1.0, true, null),
    ('a_unreadable', 'A', 12, 2, 0.4, true, null),
    ('a_similar_key', 'A', 3, 1, 0.4, true, null),
    ('a_payload_shape', 'A', 3, 1, 0.4, true, null),
    ('a_license_match', 'A', 8, 1, 0.4, true, null),
    ('a_decided', 'A', 1, 1, 1.0, true, null),
    ('s_scouting', 'S', null, 1, 0.6, true, null),
    ('s_scouting_md5', 'S', 25, 1, 0.6, true, null),
    ('s_migration', 'S', 40, 1, 1.0, true, null),
    ('s_migration_driver', 'S', 15, 1, 1.0, true, null),
    ('s_payment', 'S', 15, 1, 0.8, true, null),
    ('s_lead', 'S', 40, 1, 0.6, true, null),
    ('s_license_match', 'S', 25, 1, 0.6, true, null),
    ('s_contradicted', 'S', 1, 1, 1.0, true, null),
    ('s_settled', 'S', 3, 1, 0.6, true, null),
    ('s_no_link', 'S', 3, 1, 0.0, true, null)
),

sized as (
    select
        l.*,
        row_number() over () as position,
        case
            when l.share is null then 0
            when l.twin is not null
                then 2 * greatest(l.least / 2, round(l.share * s.persons / 2033.0 / 2))
            else greatest(l.least, round(l.share * s.persons / 2033.0))
        end::bigint as special_count
    from listed as l
    cross join demo_settings as s
),

-- What a category has beyond its special situations is in the plain one (share null).
categories as (
    select
        c.category,
        greatest(1, round(c.share * s.persons / 2033.0)::bigint - sum(z.special_count))
            as plain_count
    from (values ('C', 1313), ('D', 174), ('A', 193)) as c (category, share)
    cross join demo_settings as s
    inner join sized as z on c.category = z.category
    group by c.category, c.share, s.persons
),

counted as (
    select
        z.*,
        case
            when z.share is not null then z.special_count
            when z.category = 'S'
                then s.persons - sum(z.special_count) over () - (select sum(plain_count) from categories)
            else c.plain_count
        end::bigint as person_count
    from sized as z
    cross join demo_settings as s
    left join categories as c on z.category = c.category
)

select
    cohort,
    category,
    position,
    driver_share,
    shows_license,
    twin,
    person_count,
    (sum(person_count) over (order by position))::bigint - person_count as persons_before
from counted;

-- One row per scout, the busy ones first: 42 for 2,033 persons, 26 of them active.
create temp table demo_scouts on commit drop as
with
counts as (
    select
        greatest(8, round(42 * persons / 2033.0))::integer as scouts,
        greatest(3, round(16 * persons / 2033.0))::integer as retired,
        seed
    from demo_settings
),

listed as (
    select
        g.scout_id,
        g.scout_id::bigint * c.retired / c.scouts = (g.scout_id - 1)::bigint * c.retired / c.scouts
            as is_active,
        hashint8extended(g.scout_id, c.seed) as draw
    from counts as c
    cross join lateral generate_series(1, c.scouts) as g (scout_id)
)

select
    scout_id,
    is_active,
    draw,
    row_number() over (order by is_active desc, draw, scout_id)::integer as pick,
    count(*) over ()::integer as scout_count
from listed;

analyze demo_cohorts, demo_scouts;

-- One row per person. first_at and later times are Lima time; days = how long ago the person came.
-- offset 0 keeps the planner from computing the same draw once for each column that uses it.
create temp table demo_persons on commit drop as
with
numbered as (
    select
        c.*,
        g.k,
        c.persons_before + g.k as n,
        s.seed,
        s.today,
        hashint8extended(c.persons_before + g.k, s.seed) as draw
    from demo_cohorts as c
    cross join demo_settings as s
    cross join lateral generate_series(1, c.person_count) as g (k)
    offset 0
),

drawn as (
    select
        *,
        pg_temp.hex_key(seed, n, 'person')::uuid as person_key,
        n - case when twin = 'phone' and k % 2 = 0 then 1 else 0 end as phone_number,
        n - case when twin = 'license' and k % 2 = 0 then 1 else 0 end as license_number,
        case when k % 2 = 1 then n + 1 else n - 1 end as partner_number,
        pg_temp.share(draw, 'driver') < driver_share as has_driver,
        1 + floor(
            power(pg_temp.share(draw, 'scout'), 2) * (select count(*) from demo_scouts)
        )::integer as pick,
        -- Most drivers came with the first import; leads come in growing numbers.
        case
            when category = 'C' and pg_temp.share(draw, 'import') < 0.7
                then 108 + 11 * pg_temp.share(draw, 'age')
            else 0.3 + 119 * (1 - sqrt(pg_temp.share(draw, 'age')))
        end as days
    from numbered
    offset 0
)

select
    d.n,
    d.k,
    d.cohort,
    d.category,
    d.twin,
    d.draw,
    d.seed,
    d.today,
    d.days,
    d.person_key,
    'Persona ' || lpad(d.n::text, 6, '0') as full_name,
    pg_temp.phone_digits(d.seed, d.phone_number) as phone,
    pg_temp.license_text(d.seed, d.license_number) as license,
    pg_temp.phone_digits(d.seed, d.partner_number) as partner_phone,
    d.shows_license,
    case when d.has_driver then pg_temp.hex_key(d.seed, d.n, 'driver') end as driver_id,
    mine.scout_id,
    another.scout_id as other_scout_id,
    pg_temp.days_ago(d.today, d.days) as first_at
from drawn as d
inner join demo_scouts as mine on d.pick = mine.pick
inner join demo_scouts as another on d.pick % mine.scout_count + 1 = another.pick;

create index on demo_persons (n);
analyze demo_persons;

insert into canon.identity_registry (
    person_key,
    created_at,
    updated_at,
    confidence_level,
    primary_phone,
    primary_license,
    primary_full_name
)
select
    person_key,
    first_at,
    first_at,
    case
        when pg_temp.share(draw, 'confidence') < 0.7 then 'HIGH'
        when pg_temp.share(draw, 'confidence') < 0.9 then 'MEDIUM'
        else 'LOW'
    end::public.confidencelevel,
    case when pg_temp.share(draw, 'prefix') < 0.05 then '+51' || phone else phone end,
    case when shows_license then license end,
    full_name
from demo_persons;

insert into public.module_ct_scouts_list (
    scout_id,
    raw_name,
    name,
    is_active,
    created_at,
    updated_at
)
select
    sc.scout_id,
    ' ' || replace(pg_temp.scout_name(sc.draw), ' ', '  ') || ' ',
    pg_temp.scout_name(sc.draw),
    sc.is_active,
    pg_temp.days_ago(s.today, 120 - 20 * pg_temp.share(sc.draw, 'since')),
    pg_temp.days_ago(s.today, 1 + 90 * pg_temp.share(sc.draw, 'updated'))
from demo_scouts as sc
cross join demo_settings as s
union all
-- One scout is listed twice, under an older spelling.
select
    sc.scout_id,
    upper(pg_temp.scout_name(sc.draw)),
    upper(pg_temp.scout_name(sc.draw)),
    false,
    pg_temp.days_ago(s.today, 120),
    pg_temp.days_ago(s.today, 119)
from demo_scouts as sc
cross join demo_settings as s
where sc.pick = 1;
