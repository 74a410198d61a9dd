-- What each scout brought and what is disputed. Counts of persons, amounts in soles.

-- name: list_scorecards
with
canonical as materialized (
    select
        a.person_key,
        a.scout_id,
        a.priority,
        a.attribution_date
    from ops.v_scout_attribution as a
    where cast(:scout as integer) is null or a.scout_id = cast(:scout as integer)
),

attributed as (
    select
        a.scout_id,
        count(*) as person_count,
        count(*) filter (where a.priority = 1) as satisfactory_count,
        count(*) filter (where a.attribution_date > cast(:today as date) - 30) as recent_count,
        count(*) filter (
            where a.attribution_date <= cast(:today as date) - 30
                and a.attribution_date > cast(:today as date) - 60
        ) as earlier_count,
        max(a.attribution_date) as last_attribution_date
    from canonical as a
    group by a.scout_id
),

waiting as (
    select
        b.scout_id,
        count(*) as backlog_count
    from ops.v_persons_without_scout_categorized as b
    where b.scout_id is not null
        and (cast(:scout as integer) is null or b.scout_id = cast(:scout as integer))
    group by b.scout_id
),

disputed as (
    select
        s.scout_id,
        count(*) as conflict_count
    from ops.v_scout_attribution_conflicts as c
    cross join lateral unnest(c.scout_ids) as s (scout_id)
    where cast(:scout as integer) is null or s.scout_id = cast(:scout as integer)
    group by s.scout_id
),

-- the scout of a claim, as in ops.v_yango_collection_with_scout
claimed as (
    select
        a.scout_id,
        count(*) as claim_count,
        count(*) filter (where c.is_unpaid) as unpaid_claim_count,
        sum(c.expected_amount) filter (where c.is_unpaid) as unpaid_pen
    from scout.v_claims as c
    inner join canonical as a
        on a.person_key = c.resolved_person_key
    group by a.scout_id
),

known as (
    select d.scout_id from scout.v_scout_names as d
    union
    select a.scout_id from attributed as a
    union
    select w.scout_id from waiting as w
    union
    select p.scout_id from disputed as p
)

select
    k.scout_id,
    d.scout_name,
    d.scout_id is not null as is_listed,
    coalesce(d.is_active, false) as is_active,
    coalesce(a.person_count, 0) as person_count,
    coalesce(a.satisfactory_count, 0) as satisfactory_count,
    coalesce(p.conflict_count, 0) as conflict_count,
    coalesce(w.backlog_count, 0) as backlog_count,
    coalesce(c.claim_count, 0) as claim_count,
    coalesce(c.unpaid_claim_count, 0) as unpaid_claim_count,
    c.unpaid_pen,
    coalesce(a.recent_count, 0) as recent_count,
    coalesce(a.earlier_count, 0) as earlier_count,
    a.last_attribution_date,
    count(*) over () as listed_count,
    coalesce(c.unpaid_pen, -1) as unpaid_key
from known as k
left join scout.v_scout_names as d
    on d.scout_id = k.scout_id
left join attributed as a
    on a.scout_id = k.scout_id
left join waiting as w
    on w.scout_id = k.scout_id
left join disputed as p
    on p.scout_id = k.scout_id
left join claimed as c
    on c.scout_id = k.scout_id
where (cast(:scout as integer) is null or k.scout_id = cast(:scout as integer))
    and case cast(:kind as text)
        when 'active' then coalesce(d.is_active, false)
        when 'inactive' then d.scout_id is not null and not coalesce(d.is_active, false)
        when 'unlisted' then d.scout_id is null
        when 'in_conflict' then p.scout_id is not null
        else true
    end;

-- name: list_weeks
select
    a.scout_id,
    (cast(:today as date) - a.attribution_date) / 7 as weeks_ago,
    count(*) as person_count
from ops.v_scout_attribution as a
where a.scout_id = any(cast(:scout_ids as integer []))
    and a.attribution_date > cast(:today as date) - cast(:week_count as integer) * 7
    and a.attribution_date <= cast(:today as date)
group by a.scout_id, weeks_ago;

-- name: list_collisions
select
    low.scout_id as low_scout_id,
    high.scout_id as high_scout_id,
    count(*) as person_count
from ops.v_scout_attribution_conflicts as c
cross join lateral unnest(c.scout_ids) as low (scout_id)
cross join lateral unnest(c.scout_ids) as high (scout_id)
where low.scout_id < high.scout_id and c.distinct_scout_count <= :scout_limit
group by low.scout_id, high.scout_id
order by person_count desc, low_scout_id, high_scout_id
limit :row_limit;

-- name: count_crowded
select count(*) as person_count
from ops.v_scout_attribution_conflicts as c
where c.distinct_scout_count > :scout_limit;

-- name: list_shared_conflicts
select
    c.person_key::text as person_key,
    c.conflict_kind,
    c.scout_ids,
    c.last_event_date,
    coalesce(c.last_event_date, '-infinity') as newest_key
from ops.v_scout_attribution_conflicts as c
where cast(:low as integer) = any(c.scout_ids) and cast(:high as integer) = any(c.scout_ids);
