-- Open conflicts: persons whose evidence names scouts that cannot all be right.

-- name: list_open
-- person_keys and stakes: what is at stake for whom, where it was asked for before; null = look at all claims
select
    c.person_key::text as person_key,
    c.conflict_kind,
    c.ledger_scout_id,
    cardinality(c.scout_ids) as distinct_scout_count,
    c.scout_ids,
    c.sources,
    c.origin_tags,
    c.first_evidence_date as first_event_date,
    c.last_evidence_date as last_event_date,
    c.evidence_count as total_sources,
    coalesce(k.at_stake_pen, m.at_stake_pen) as at_stake_pen,
    l.paid_pen,
    (
        select min(e.driver_phone) from ops.v_scout_attribution_raw as e
        where e.person_key = c.person_key
    ) as driver_phone,
    (
        select min(e.driver_license) from ops.v_scout_attribution_raw as e
        where e.person_key = c.person_key
    ) as driver_license,
    coalesce(c.last_evidence_date, '-infinity') as newest_key,
    c.person_key as row_key,
    coalesce(k.at_stake_pen, m.at_stake_pen, '-infinity') as stake_key
from scout.v_persons_now as c
left join scout.v_person_claims as m
    on m.person_key = c.person_key and cast(:person_keys as uuid[]) is null
left join (
    select
        g.person_key,
        min(g.at_stake_pen) as at_stake_pen
    from unnest(cast(:person_keys as uuid[]), cast(:stakes as numeric[])) as g (person_key, at_stake_pen)
    group by g.person_key
) as k
    on k.person_key = c.person_key
left join scout.v_person_payouts as l
    on l.person_key = c.person_key
where c.conflict_kind is not null
    and (cast(:conflict_kind as text) is null or c.conflict_kind = :conflict_kind)
    and (cast(:scout_id as integer) is null or c.scout_ids @> array[cast(:scout_id as integer)])
    and (cast(:source as text) is null or c.sources @> array[cast(:source as text)])
    and (cast(:since as date) is null or c.last_evidence_date >= cast(:since as date))
    and (cast(:until as date) is null or c.last_evidence_date <= cast(:until as date))
    and (cast(:key_from as uuid) is null or c.person_key >= cast(:key_from as uuid))
    and (cast(:key_to as uuid) is null or c.person_key <= cast(:key_to as uuid));

-- name: count_settled
select coalesce(sum(t.person_count), 0)::bigint as row_count
from scout.v_attribution_totals as t
where t.conflict_kind is not null
    and (cast(:conflict_kind as text) is null or t.conflict_kind = :conflict_kind);

-- name: list_keys
select p.person_key::text as person_key
from scout.v_persons_now as p
where p.conflict_kind is not null
limit :row_limit;

-- name: list_stakes
select
    v.person_key::text as person_key,
    coalesce(v.at_stake_pen::text, 'NULL') as stake
from scout.v_person_claims as v
where v.person_key = any(cast(:person_keys as uuid[]));

-- name: find_open
select
    c.conflict_kind,
    c.ledger_scout_id,
    c.distinct_scout_count
from ops.v_scout_attribution_conflicts as c
where c.person_key = cast(:person_key as uuid);

-- name: evidence_by_scout
with pieces as (
    select
        e.scout_id,
        e.priority,
        e.source_table,
        e.source_pk,
        e.origin_tag,
        e.attribution_date,
        e.created_at,
        -- the same order as the canonical scout of a person
        row_number() over (
            partition by e.scout_id
            order by
                e.priority,
                e.attribution_date desc nulls last,
                e.created_at desc nulls last,
                e.source_table,
                e.source_pk
        ) as place
    from ops.v_scout_attribution_raw as e
    where e.person_key = cast(:person_key as uuid)
),

milestones as (
    select max(v.milestone_reached) as milestone_reached
    from scout.v_person_claims as v
    where v.person_key = cast(:person_key as uuid)
),

scouts as (
    select
        p.scout_id,
        count(*) as piece_count,
        bool_or(p.priority = 1) as is_in_ledger,
        min(p.attribution_date) as first_date,
        max(p.attribution_date) as last_date,
        min(p.priority) as priority,
        min(p.origin_tag) filter (where p.place = 1) as origin_tag
    from pieces as p
    group by p.scout_id
    order by piece_count desc, p.scout_id
    limit cast(:scout_limit as integer)
)

select
    s.scout_id,
    d.scout_name,
    d.is_active,
    s.is_in_ledger,
    s.piece_count,
    s.first_date,
    s.last_date,
    m.milestone_reached,
    w.amount_pen as would_be_paid_pen,
    l.paid_pen,
    (
        select
            jsonb_agg(
                jsonb_build_array(
                    p.attribution_date, p.source_table, p.source_pk, p.origin_tag, p.created_at
                )
                order by p.attribution_date desc nulls last, p.created_at desc nulls last, p.place
            )
        from pieces as p
        where p.scout_id = s.scout_id and p.place <= cast(:piece_limit as integer)
    ) as pieces
from scouts as s
cross join milestones as m
left join scout.v_scout_names as d
    on d.scout_id = s.scout_id
left join lateral scout.amount_payable(m.milestone_reached, s.origin_tag) as w on true
left join (
    select
        p.scout_id,
        sum(p.amount_pen) as paid_pen
    from scout.src_liquidation_ledger as p
    where p.person_key = cast(:person_key as uuid) and p.is_paid
    group by p.scout_id
) as l
    on l.scout_id = s.scout_id
order by s.is_in_ledger desc, s.piece_count desc, s.scout_id;
