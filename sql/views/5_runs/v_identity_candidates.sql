-- One row per scouting row without a link, or with one that is out of date, that the next run judges: what it does
-- with it.
-- It is as if rows were judged one at a time in ascending id, those with a licence first, and what one row
-- leads to were known to the next; written as one pass so that half a million rows take seconds.
create or replace view scout.v_identity_candidates as
with pool as materialized (
    select
        s.row_id,
        s.scout_id,
        s.license_key,
        s.phone_key,
        -- a row that was mended until nobody has its keys is for a person to look at; where its number was given to
        -- another row it is as good as new
        k.id is null or s.source_pk in (select r.source_pk from scout.v_renumbered_rows as r) as can_found
    from scout.v_rows_to_judge as s
    left join canon.identity_links as k
        on k.source_table = 'module_ct_scouting_daily' and k.source_pk = s.source_pk
    where not exists (
        select from scout.v_held_rows as h
        where h.source_table = 'module_ct_scouting_daily' and h.source_pk = s.source_pk
    )
    and not exists (
        select from scout.v_ignored_rows as u
        where u.source_table = 'module_ct_scouting_daily' and u.source_pk = s.source_pk
    )
),

pool_licenses as materialized (
    select distinct p.license_key from pool as p
    where p.license_key is not null
),

pool_phones as materialized (
    select distinct p.phone_key from pool as p
    where p.phone_key is not null
),

-- With many rows the keys of the registry are computed once; with few, its indexes on them are used.
registry_keys as materialized (
    select
        r.person_key,
        scout.license_key(r.primary_license) collate "C" as license_key,
        scout.phone_key(r.primary_phone) collate "C" as phone_key
    from canon.identity_registry as r
    where (select count(*) from pool) > 2000
),

-- persons known under a licence: registry, drivers, linked scouting rows
license_persons as materialized (
    select
        k.license_key,
        r.person_key
    from pool_licenses as k
    inner join canon.identity_registry as r on scout.license_key(r.primary_license) collate "C" = k.license_key
    where (select count(*) from pool) <= 2000
    union
    select
        k.license_key,
        r.person_key
    from pool_licenses as k
    inner join registry_keys as r on r.license_key = k.license_key
    union
    select
        k.license_key,
        l.person_key
    from pool_licenses as k
    inner join scout.src_drivers_index as d on d.license_key = k.license_key
    inner join canon.identity_links as l on l.source_table = 'drivers' and l.source_pk = d.driver_id
    union
    select
        k.license_key,
        s.person_key
    from pool_licenses as k
    inner join scout.v_scouting_persons as s on s.license_key = k.license_key
),

-- persons that registry and drivers know under a phone
stated_phone_persons as materialized (
    select
        k.phone_key,
        r.person_key
    from pool_phones as k
    inner join canon.identity_registry as r on scout.phone_key(r.primary_phone) collate "C" = k.phone_key
    where (select count(*) from pool) <= 2000
    union
    select
        k.phone_key,
        r.person_key
    from pool_phones as k
    inner join registry_keys as r on r.phone_key = k.phone_key
    union
    select
        k.phone_key,
        l.person_key
    from pool_phones as k
    inner join scout.src_drivers_index as d on d.phone_key = k.phone_key
    inner join canon.identity_links as l on l.source_table = 'drivers' and l.source_pk = d.driver_id
),

licenses as materialized (
    select
        l.license_key,
        count(*)::integer as person_count,
        (array_agg(l.person_key))[1] as person_key,
        (array_agg(l.person_key))[1:10] as person_keys
    from license_persons as l
    group by l.license_key
),

-- licences of the pool that nobody has, and that scouting rows show with several phones: a word that many
-- write there, or a number that was mistyped. They lead to nobody.
spread_licenses as materialized (
    select a.license_key
    from (
        select
            p.license_key,
            p.phone_key
        from pool as p
        where p.license_key is not null
        union all
        select
            k.license_key,
            s.phone_key
        from pool_licenses as k
        inner join scout.src_scouting_daily as s on s.license_key = k.license_key
        where (s.row_id is null or s.row_id not in (select p.row_id from pool as p))
    ) as a
    where not exists (select from licenses as l where l.license_key = a.license_key)
    group by a.license_key
    having min(a.phone_key) <> max(a.phone_key)
),

-- phones of rows whose licence does not settle them: nobody has it, or there is none
open_phones as materialized (
    select distinct p.phone_key
    from pool as p
    where p.phone_key is not null
        and not exists (select from licenses as l where l.license_key = p.license_key)
),

phone_persons as materialized (
    select
        s.phone_key,
        s.person_key
    from stated_phone_persons as s
    union
    select
        k.phone_key,
        s.person_key
    from pool_phones as k
    inner join scout.v_scouting_persons as s on s.phone_key = k.phone_key
),

-- rows that show an open phone with a licence; those of the pool have their keys already
shown_licenses as (
    select
        k.phone_key,
        p.license_key,
        p.row_id as naming_row_id
    from open_phones as k
    inner join pool as p on p.phone_key = k.phone_key
    where p.license_key is not null
    union all
    select
        k.phone_key,
        s.license_key,
        case when s.scout_id is not null then s.row_id end as naming_row_id
    from open_phones as k
    inner join scout.src_scouting_daily as s on s.phone_key = k.phone_key
    where (s.row_id is null or s.row_id not in (select p.row_id from pool as p))
        and s.license_key is not null
),

-- per open phone: how many licences rows show it with, and the first rows that name a scout
shown_phones as materialized (
    select
        a.phone_key,
        count(*)::integer as license_count,
        (array_agg(a.license_key order by a.first_id) filter (where a.first_id is not null))[1] as first_license,
        min(a.first_id) as first_id,
        (array_agg(a.first_id order by a.first_id) filter (where a.first_id is not null))[2] as other_first_id
    from (
        select
            s.phone_key,
            s.license_key,
            min(s.naming_row_id) as first_id
        from shown_licenses as s
        group by s.phone_key, s.license_key
    ) as a
    group by a.phone_key
),

stated_phones as materialized (
    select
        s.phone_key,
        array_agg(s.person_key) as person_keys
    from stated_phone_persons as s
    group by s.phone_key
),

phones as materialized (
    select
        k.phone_key,
        count(*)::integer as person_count,
        (array_agg(n.person_key))[1] as person_key
    from open_phones as k
    inner join phone_persons as n on n.phone_key = k.phone_key
    group by k.phone_key
),

-- of the persons that an open phone leads to alone, those known under some licence
sole_persons as materialized (
    select distinct y.person_key
    from phones as y
    where y.person_count = 1
        and y.phone_key in (select p.phone_key from pool as p where p.license_key is not null)
),

licensed_persons as materialized (
    select r.person_key
    from sole_persons as k
    inner join canon.identity_registry as r on r.person_key = k.person_key
    where scout.license_key(r.primary_license) is not null
    union
    select l.person_key
    from sole_persons as k
    inner join canon.identity_links as l on l.person_key = k.person_key and l.source_table = 'drivers'
    inner join scout.src_drivers_index as d on d.driver_id = l.source_pk
    where d.license_key is not null
    union
    select s.person_key
    from sole_persons as k
    inner join scout.v_scouting_persons as s on s.person_key = k.person_key
    where s.license_key is not null
),

-- a driver that has the key, told in the evidence of the link
license_drivers as materialized (
    select
        k.license_key,
        min(d.driver_id) as driver_id
    from pool_licenses as k
    inner join scout.src_drivers_index as d on d.license_key = k.license_key
    group by k.license_key
),

phone_drivers as materialized (
    select
        k.phone_key,
        min(d.driver_id) as driver_id
    from pool_phones as k
    inner join scout.src_drivers_index as d on d.phone_key = k.phone_key
    group by k.phone_key
),

-- rows with a licence and what they would lead to if nobody had the licence
license_rows as materialized (
    select
        p.row_id,
        p.scout_id,
        p.license_key,
        p.phone_key,
        p.can_found,
        coalesce(l.person_count, 0) as license_person_count,
        l.person_key as license_person_key,
        coalesce(t.person_keys, '{}') as stated_person_keys,
        coalesce(f.person_count, 0) as phone_person_count,
        f.person_key as phone_person_key,
        coalesce(
            case when w.first_license = p.license_key then w.other_first_id else w.first_id end < p.row_id, false
        ) as is_phone_of_other_license,
        y.person_key is not null as is_phone_person_licensed,
        coalesce(l.person_count, 0) >= 2 or d.license_key is not null as is_license_ambiguous
    from pool as p
    left join licenses as l on l.license_key = p.license_key
    left join spread_licenses as d on d.license_key = p.license_key
    left join stated_phones as t on t.phone_key = p.phone_key
    left join phones as f on f.phone_key = p.phone_key
    left join shown_phones as w on w.phone_key = p.phone_key
    left join licensed_persons as y on y.person_key = f.person_key
    where p.license_key is not null
),

bids as (
    select
        c.row_id,
        c.license_key,
        case when c.phone_person_count = 1 then c.phone_person_key end as person_key
    from license_rows as c
    where c.license_person_count = 0
        and not c.is_license_ambiguous
        and not c.is_phone_of_other_license
        and c.phone_person_count <= 1
        and (c.can_found or c.phone_person_count = 1)
        and not (c.phone_person_count = 1 and c.is_phone_person_licensed)
),

granted as materialized (
    select
        r.row_id as founder_row_id,
        r.license_key,
        r.phone_person_count = 0 as is_new,
        r.phone_key,
        case
            when r.phone_person_count = 1 then r.phone_person_key
            when exists (
                select from canon.identity_registry as k
                where k.person_key = scout.founded_person_key(r.row_id, 0)
            ) then scout.new_person_key(r.row_id)
            else scout.founded_person_key(r.row_id, 0)
        end as person_key
    from (
        select w.row_id
        from (
            select
                array_agg(c.row_id order by c.row_id) as row_ids,
                array_agg(c.license_key order by c.row_id) as license_keys,
                array_agg(c.person_key order by c.row_id) as person_keys
            from bids as c
        ) as a
        cross join lateral scout.first_bids(a.row_ids, a.license_keys, a.person_keys) as w (row_id)
    ) as g
    inner join license_rows as r on r.row_id = g.row_id
),

judged_license_rows as materialized (
    select
        r.row_id,
        r.scout_id,
        r.license_key,
        r.phone_key,
        r.license_person_count,
        r.can_found,
        r.is_phone_of_other_license,
        r.phone_person_count,
        coalesce(r.license_person_key, g.person_key) as person_key,
        g.founder_row_id,
        coalesce(g.founder_row_id = r.row_id, false) as is_first_of_license,
        coalesce(g.founder_row_id = r.row_id and g.is_new, false) as is_founder,
        case
            when r.is_license_ambiguous then 'AMBIGUOUS_LICENSE'
            when g.founder_row_id = r.row_id then 'LINK'
            when r.license_person_count = 0 and g.license_key is null then 'LEFT'
            when cardinality(r.stated_person_keys) > 0
                and coalesce(r.license_person_key, g.person_key) <> all (r.stated_person_keys) then 'IDENTIFIERS_DISAGREE'
            when f.license_key <> r.license_key then 'IDENTIFIERS_DISAGREE'
            else 'LINK'
        end as verdict
    from license_rows as r
    left join granted as g on g.license_key = r.license_key and r.license_person_count = 0
    -- the phone of a person made in this run is that person's alone
    left join granted as f on f.is_new and f.phone_key = r.phone_key
),

-- persons of a phone once the rows with a licence are linked, where a row is still to be judged or explained
later_phone_persons as materialized (
    select
        a.phone_key,
        count(*)::integer as person_count,
        (array_agg(a.person_key))[1] as person_key,
        (array_agg(a.person_key))[1:10] as person_keys
    from (
        select
            p.phone_key,
            p.person_key
        from phone_persons as p
        union
        select
            j.phone_key,
            j.person_key
        from judged_license_rows as j
        where j.verdict = 'LINK' and j.phone_key is not null
    ) as a
    where a.phone_key in (
        select p.phone_key from pool as p
        where p.license_key is null and p.phone_key is not null
        union all
        select j.phone_key from judged_license_rows as j
        where j.verdict <> 'LINK' and j.phone_key is not null
    )
    group by a.phone_key
),

judged_phone_rows as (
    select
        p.row_id,
        p.scout_id,
        p.phone_key,
        coalesce(n.person_count, 0) as phone_person_count,
        n.person_key,
        min(p.row_id) filter (where p.can_found) over (partition by p.phone_key) as founder_row_id,
        case
            when w.license_count >= 2 or n.person_count >= 2 then 'AMBIGUOUS_PHONE'
            when n.person_count is null and bool_and(not p.can_found) over (partition by p.phone_key) then 'LEFT'
            else 'LINK'
        end as verdict
    from pool as p
    left join shown_phones as w on w.phone_key = p.phone_key
    left join later_phone_persons as n on n.phone_key = p.phone_key
    where p.license_key is null and p.phone_key is not null
),

judged_rows as (
    select
        1 as phase,
        j.row_id,
        j.scout_id,
        j.license_key,
        j.phone_key,
        j.person_key,
        j.is_founder,
        coalesce(j.founder_row_id, j.row_id) as first_row_id,
        case when j.verdict in ('LINK', 'LEFT') then null else j.verdict end as reason_code,
        case
            when j.verdict <> 'LINK' then null
            when j.is_founder then 'BACKFILL_NEW_PERSON'
            when j.is_first_of_license then 'BACKFILL_PHONE_MATCH'
            else 'BACKFILL_LICENSE_MATCH'
        end as match_rule,
        j.is_phone_of_other_license,
        j.can_found
    from judged_license_rows as j
    union all
    select
        2 as phase,
        j.row_id,
        j.scout_id,
        null collate "C" as license_key,
        j.phone_key,
        case
            when j.phone_person_count > 0 then j.person_key
            when j.founder_row_id is null then null
            when exists (
                select from canon.identity_registry as k
                where k.person_key = scout.founded_person_key(j.founder_row_id, 0)
            ) then scout.new_person_key(j.founder_row_id)
            else scout.founded_person_key(j.founder_row_id, 0)
        end as person_key,
        j.phone_person_count = 0 and j.founder_row_id = j.row_id and j.verdict = 'LINK' as is_founder,
        case when j.phone_person_count = 0 then coalesce(j.founder_row_id, j.row_id) else j.row_id end as first_row_id,
        case j.verdict when 'AMBIGUOUS_PHONE' then 'AMBIGUOUS_PHONE' when 'LEFT' then 'NOBODY_KNOWN' end as reason_code,
        case
            when j.verdict <> 'LINK' then null
            when j.phone_person_count = 0 and j.founder_row_id = j.row_id then 'BACKFILL_NEW_PERSON'
            else 'BACKFILL_PHONE_MATCH'
        end as match_rule,
        false as is_phone_of_other_license,
        true as can_found
    from judged_phone_rows as j
    union all
    select
        3 as phase,
        p.row_id,
        p.scout_id,
        null collate "C" as license_key,
        null collate "C" as phone_key,
        null as person_key,
        false as is_founder,
        p.row_id as first_row_id,
        'NO_IDENTIFIERS' as reason_code,
        null as match_rule,
        false as is_phone_of_other_license,
        true as can_found
    from pool as p
    where p.license_key is null and p.phone_key is null
)

select
    c.row_id,
    c.source_pk,
    c.scout_id,
    c.outcome,
    c.person_key,
    c.driver_id,
    c.match_rule,
    c.match_score,
    c.match_confidence,
    w.reason_code,
    c.reason_code as rule_reason_code,
    k.person_key as moved_from_person_key,
    c.is_founder,
    c.license_key,
    c.phone_key,
    c.apply_order,
    c.license_person_count,
    c.phone_person_count,
    c.candidate_person_keys,
    c.outcome = 'UNMATCHED'
    -- what was set aside under this number said something else
    and (u.id is null or u.status <> 'OPEN' or u.reason_code <> w.reason_code) as is_new_reason
from (
    select
        j.row_id,
        j.row_id::text as source_pk,
        j.scout_id,
        case when j.match_rule is not null then 'LINK' else 'UNMATCHED' end as outcome,
        case when j.match_rule is not null then j.person_key end as person_key,
        case when j.match_rule is not null then coalesce(dl.driver_id, dp.driver_id) end as driver_id,
        j.match_rule,
        case j.match_rule
            when 'BACKFILL_LICENSE_MATCH' then 80
            when 'BACKFILL_PHONE_MATCH' then 70
            when 'BACKFILL_NEW_PERSON' then 50
        end as match_score,
        case j.match_rule
            when 'BACKFILL_LICENSE_MATCH' then 'HIGH'
            when 'BACKFILL_PHONE_MATCH' then 'MEDIUM'
            when 'BACKFILL_NEW_PERSON' then 'LOW'
        end as match_confidence,
        case
            when j.match_rule is not null then null
            when j.reason_code is not null then j.reason_code
            -- nobody got the licence: said on what is known after the run
            when j.is_phone_of_other_license then 'IDENTIFIERS_DISAGREE'
            when n.person_count >= 2 then 'AMBIGUOUS_PHONE'
            when j.can_found or n.person_count = 1 then 'IDENTIFIERS_DISAGREE'
            else 'NOBODY_KNOWN'
        end as reason_code,
        j.is_founder,
        j.license_key,
        j.phone_key,
        -- a row comes after the one that gives its licence a person, so that batches cut anywhere agree
        row_number() over (
            order by j.phase, greatest(j.first_row_id, j.row_id), j.first_row_id <> j.row_id, j.row_id
        ) as apply_order,
        coalesce(l.person_count, 0) as license_person_count,
        coalesce(n.person_count, 0) as phone_person_count,
        case
            when j.match_rule is null then (
                select coalesce(array_agg(distinct c.person_key), '{}')
                from (
                    select unnest(l.person_keys)
                    union all
                    select j.person_key
                    union all
                    select unnest(n.person_keys)
                ) as c (person_key)
                where c.person_key is not null
            )
            else '{}'
        end as candidate_person_keys
    from judged_rows as j
    left join licenses as l on l.license_key = j.license_key
    left join later_phone_persons as n on n.phone_key = j.phone_key
    left join license_drivers as dl on dl.license_key = j.license_key
    left join phone_drivers as dp on dp.phone_key = j.phone_key
) as c
-- a row that is judged has no link under its id but one that is out of date
left join canon.identity_links as k
    on k.source_table = 'module_ct_scouting_daily' and k.source_pk = c.source_pk
-- of such a row a person must know that, before why no rule moved it
cross join lateral (
    select case when c.outcome = 'UNMATCHED' and k.id is not null then 'KEYS_MOVED' else c.reason_code end
) as w (reason_code)
left join canon.identity_unmatched as u
    on c.outcome = 'UNMATCHED'
    and u.source_table = 'module_ct_scouting_daily'
    and u.source_pk = c.source_pk;
comment on column scout.v_identity_candidates.person_key is 'Person that the row is linked to; made in the run where is_founder. Null = left unmatched, see reason_code.';
comment on column scout.v_identity_candidates.apply_order is 'Order in which batches apply the rows; no batch needs a later one.';
comment on column scout.v_identity_candidates.is_new_reason is 'Left for a reason that canon.identity_unmatched does not say yet; the run writes it.';
