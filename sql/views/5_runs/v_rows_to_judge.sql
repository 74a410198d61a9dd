-- One row per scouting row without a link that the next run judges: all that hang together with something
-- that changed. A verdict depends on the row's licence and phone, on the persons known under them, on all that
-- these are known under, and on the other rows that share any of it; so whole clusters are judged anew,
-- and what lies outside them keeps its verdict. With much to judge, everything is.
create or replace view scout.v_rows_to_judge as
with recursive touched as materialized (
    select
        t.license_key,
        t.phone_key,
        t.person_key,
        t.source_pk
    from scout.v_touched_keys as t
    limit 5001
),

extent as materialized (
    select
        count(*) > 0 as is_anything,
        (select scout.reading()) = 'LIVE'
        or count(*) > 5000
        or coalesce(bool_or(coalesce(t.license_key, t.phone_key, t.person_key::text, t.source_pk) is null), false) as is_everything
    from touched as t
),

-- a row that was touched stands for the licence and phone that it shows now
touched_keys (kind, key) as (
    select
        k.kind,
        k.key
    from touched as t
    cross join lateral (
        values
        ('license', t.license_key),
        ('phone', t.phone_key),
        ('person', t.person_key::text)
    ) as k (kind, key)
    where k.key is not null and not (select e.is_everything from extent as e)
    union
    select
        k.kind,
        k.key
    from touched as t
    inner join scout.src_scouting_daily as s on s.source_pk = t.source_pk
    cross join lateral (
        values
        ('license', s.license_key),
        ('phone', s.phone_key)
    ) as k (kind, key)
    where k.key is not null and not (select e.is_everything from extent as e)
),

cluster (kind, key) as (
    select
        k.kind,
        k.key
    from touched_keys as k
    union
    select
        n.kind,
        n.key
    from cluster as c
    cross join lateral scout.identity_ties(c.kind, c.key) as n (kind, key)
),

-- rows of the source that show a licence or phone of the clusters, or that changed themselves
named_rows (source_pk) as (
    select s.source_pk
    from cluster as c
    inner join scout.src_scouting_daily as s on s.license_key = c.key
    where c.kind = 'license'
    union
    select s.source_pk
    from cluster as c
    inner join scout.src_scouting_daily as s on s.phone_key = c.key
    where c.kind = 'phone'
    union
    select t.source_pk from touched as t
    where t.source_pk is not null and not (select e.is_everything from extent as e)
)

select
    u.source_pk,
    u.row_id,
    u.scout_id,
    s.license_key,
    s.phone_key
from scout.v_unlinked_rows as u
inner join scout.src_scouting_daily as s on s.source_pk = u.source_pk
where (select e.is_everything from extent as e)
union all
select
    u.source_pk,
    u.row_id,
    u.scout_id,
    s.license_key,
    s.phone_key
from named_rows as n
inner join scout.v_unlinked_rows as u on u.source_pk = n.source_pk
inner join scout.src_scouting_daily as s on s.source_pk = n.source_pk
where (select e.is_anything and not e.is_everything from extent as e);
