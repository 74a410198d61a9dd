-- What each situation consists of, and the rows of scouting, migrations, leads and payments that
-- follow from it, still in temporary tables. Reads demo_persons.

-- A phone as people write it: half of them plainly, the others in seven forms.
create or replace function pg_temp.written_phone(digits text, draw bigint)
returns text
language sql immutable parallel safe
as $$
    select
        case floor(14 * pg_temp.share(draw, 'phone form'))::integer
            when 0 then '+51 ' || substr(digits, 1, 3) || ' ' || substr(digits, 4, 3) || ' ' || substr(digits, 7)
            when 1 then substr(digits, 1, 3) || '-' || substr(digits, 4, 3) || '-' || substr(digits, 7)
            when 2 then '0051' || digits
            when 3 then '51' || digits
            when 4 then '+51' || digits
            when 5 then '(' || substr(digits, 1, 3) || ') ' || substr(digits, 4, 3) || '-' || substr(digits, 7)
            when 6 then ' ' || digits || ' '
            else digits
        end
$$;

-- A license likewise.
create or replace function pg_temp.written_license(license text, draw bigint)
returns text
language sql immutable parallel safe
as $$
    select
        case floor(10 * pg_temp.share(draw, 'license form'))::integer
            when 0 then lower(substr(license, 1, 1)) || '-' || substr(license, 2)
            when 1 then lower(license)
            when 2 then substr(license, 1, 1) || ' ' || substr(license, 2, 4) || ' ' || substr(license, 6)
            when 3 then substr(license, 1, 1) || '-' || substr(license, 2)
            else license
        end
$$;

-- One row per piece of evidence that each person of a situation has.
-- link: how the row leads to the person; keys: what it shows; event: what its lead event says of
-- the scout (null = it has none); late = it came when the ledger or a decision was there already.
create temp table demo_recipes on commit drop as
select *
from (
    values
    ('c_scouting', 1, 'scouting', 'id', 'own', null, 'own', false),
    ('c_migration', 1, 'migration', 'row', null, null, 'own', false),
    ('c_migration_driver', 1, 'migration', 'driver', null, null, 'own', false),
    ('c_payment', 1, 'payment', 'person', null, null, 'own', false),
    ('c_payment_driver', 1, 'payment', 'driver', null, null, 'own', false),
    ('c_license_match', 1, 'scouting', null, 'own', null, 'own', false),
    ('c_license_of_driver', 1, 'scouting', null, 'license', null, 'own', false),
    ('c_phone_match', 1, 'scouting', null, 'fresh license', null, 'own', false),
    ('c_phone_only', 1, 'scouting', null, 'phone', null, 'own', false),
    ('c_shared_phone', 1, 'scouting', null, 'phone', null, 'own', false),
    ('c_shared_license', 1, 'scouting', null, 'license', null, 'own', false),
    ('c_crossed', 1, 'scouting', null, 'crossed', null, 'own', false),
    ('c_other_license', 1, 'scouting', null, 'fresh license', null, 'own', false),
    ('d_waiting', 1, 'scouting', 'id', 'own', 'named', 'own', false),
    ('d_waiting_migration', 1, 'migration', 'row', null, 'named', 'own', false),
    ('d_waiting_lead', 1, 'lead', 'row', null, 'payload', 'own', false),
    ('d_ledger', 1, 'scouting', 'id', 'own', 'named', 'own', false),
    ('d_several', 1, 'scouting', 'id', 'own', 'named', 'own', false),
    ('d_several', 2, 'scouting', 'id', 'own', 'named', 'other', false),
    ('d_disagree', 1, 'scouting', 'id', 'own', 'disagree', 'own', false),
    ('d_other_disagrees', 1, 'lead', 'row', null, 'payload', 'own', false),
    ('d_other_disagrees', 2, 'migration', 'row', null, null, 'other', false),
    ('d_unreadable', 1, 'scouting', 'id', 'own', 'column', 'own', false),
    ('d_unreadable', 2, 'lead', 'row', null, 'unreadable', 'own', false),
    ('d_unknown', 1, 'scouting', 'id', 'own', 'named', 'unknown', false),
    ('d_held', 1, 'scouting', 'id', 'own', 'named', 'own', false),
    ('d_decided', 1, 'scouting', 'id', 'own', 'named', 'own', false),
    ('d_new_evidence', 1, 'scouting', 'id', 'own', 'column', 'own', false),
    ('d_new_evidence', 2, 'scouting', 'id', 'own', 'column', 'other', true),
    ('a_events', 1, 'lead', 'row', null, 'bare', null, false),
    ('a_scouting', 1, 'lead', 'row', null, 'bare', null, false),
    ('a_scouting', 2, 'scouting', 'id', 'own', null, 'own', false),
    ('a_migration', 1, 'lead', 'row', null, 'bare', null, false),
    ('a_migration', 2, 'migration', 'driver', null, null, 'own', false),
    ('a_unreadable', 1, 'lead', 'row', null, 'unreadable', null, false),
    ('a_similar_key', 1, 'lead', 'row', null, 'similar key', 'own', false),
    ('a_payload_shape', 1, 'lead', 'row', null, 'shape', null, false),
    ('a_license_match', 1, 'lead', 'row', null, 'bare', null, false),
    ('a_license_match', 2, 'scouting', null, 'own', null, 'own', false),
    ('a_decided', 1, 'lead', null, null, 'bare', null, false),
    ('s_scouting', 1, 'scouting', 'id', 'own', 'named', 'own', false),
    ('s_scouting_md5', 1, 'scouting', 'md5', 'own', 'named', 'own', false),
    ('s_migration', 1, 'migration', 'row', null, 'named', 'own', false),
    ('s_migration_driver', 1, 'migration', 'driver', null, 'named', 'own', false),
    ('s_payment', 1, 'lead', 'row', null, 'bare', null, false),
    ('s_payment', 2, 'payment', 'person', null, null, 'own', true),
    ('s_lead', 1, 'lead', null, null, 'bare', null, false),
    ('s_license_match', 1, 'lead', 'row', null, 'bare', null, false),
    ('s_license_match', 2, 'scouting', null, 'own', null, 'own', true),
    ('s_contradicted', 1, 'scouting', 'id', 'own', 'named', 'own', false),
    ('s_contradicted', 2, 'scouting', 'id', 'own', 'named', 'other', true),
    ('s_settled', 1, 'scouting', 'id', 'own', 'named', 'other', false)
) as r (cohort, ordinal, source, link, keys, event, names, is_late);

-- One row per piece of evidence of a person.
create temp table demo_evidence on commit drop as
select
    p.n,
    r.ordinal,
    r.source,
    r.link,
    r.keys,
    r.event,
    p.person_key,
    p.full_name,
    p.phone,
    p.license,
    p.partner_phone,
    p.driver_id,
    p.seed,
    hashint8extended(p.draw, r.ordinal) as draw,
    case r.names
        when 'own' then p.scout_id
        when 'other' then p.other_scout_id
        when 'unknown' then (select max(scout_id) + 57 from demo_scouts)
    end as scout_id,
    p.other_scout_id,
    pg_temp.days_ago(
        p.today, p.days * case when r.is_late then 0.1 else 1 - 0.01 * r.ordinal end
    ) as happened_at
from demo_persons as p
inner join demo_recipes as r on p.cohort = r.cohort;

analyze demo_evidence;

-- Scouting rows of nobody yet. rows_each = how many rows show the same phone or license.
create temp table demo_strays on commit drop as
with
listed (form, share, least, rows_each) as (
    values
    ('new', 14, 2, 1),
    ('new, same license twice', 4, 2, 2),
    ('new, phone only', 3, 1, 1),
    ('new, phone with two licenses', 2, 2, 2),
    ('no identifiers', 8, 4, 1),
    ('no scout', 4, 1, 1),
    ('scout out of range', 2, 1, 1),
    ('ignored', 2, 1, 1)
),

numbered as (
    select
        l.form,
        g.k,
        l.rows_each,
        s.seed,
        s.today,
        3 * s.persons + 200000 + row_number() over (order by l.form, g.k) as number
    from listed as l
    cross join demo_settings as s
    cross join lateral generate_series(
        1,
        l.rows_each * greatest(
            l.least / l.rows_each, round(l.share * s.persons / 2033.0 / l.rows_each)
        )::bigint
    ) as g (k)
),

paired as (
    select
        *,
        number - case when rows_each = 2 and k % 2 = 0 then 1 else 0 end as shared_number
    from numbered
),

drawn as (
    select
        *,
        hashint8extended(number, seed) as draw,
        1 + floor(
            pg_temp.share(hashint8extended(shared_number, seed), 'scout')
            * (select count(*) from demo_scouts)
        )::integer as pick
    from paired
)

select
    d.number,
    d.form,
    d.k,
    d.draw,
    case
        when d.form = 'no scout' then null
        when d.form = 'scout out of range' then (-5 * (d.k % 2))::integer
        else sc.scout_id
    end as scout_id,
    'Persona nueva ' || d.k as full_name,
    case
        when d.form = 'no identifiers'
            then (
                array['no tiene', '000000000', '999999999', '123456789', '', null, '98765432', '-']
            )[1 + (d.k % 8)::integer]
        else pg_temp.written_phone(pg_temp.phone_digits(d.seed, d.shared_number), d.draw)
    end as phone,
    case
        when d.form = 'no identifiers'
            then (array['NO TIENE', 'S/N', '-', null, ''])[1 + (d.k % 5)::integer]
        when d.form = 'new, phone only' then null
        when d.form = 'new, phone with two licenses' then pg_temp.license_text(d.seed, d.number)
        else pg_temp.written_license(pg_temp.license_text(d.seed, d.shared_number), d.draw)
    end as license,
    -- of two rows with one license the second repeats the first, day and all
    pg_temp.days_ago(
        d.today,
        0.3 + 100 * (
            1 - sqrt(
                pg_temp.share(
                    case
                        when d.form = 'new, same license twice' then hashint8extended(d.shared_number, d.seed)
                        else d.draw
                    end,
                    'age'
                )
            )
        )
    ) as happened_at
from drawn as d
inner join demo_scouts as sc on d.pick = sc.pick;
