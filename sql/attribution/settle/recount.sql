-- Counts the settled persons anew, where a total differs. One row: how many totals were put right.
with counted as materialized (
    select
        n.category,
        n.reason_code,
        n.conflict_kind,
        n.is_lead,
        n.has_identity_link,
        n.names_scout,
        n.best_priority,
        count(*) as person_count
    from scout.person_attribution as s
    cross join lateral scout.group_of(s) as n
    group by
        n.category, n.reason_code, n.conflict_kind, n.is_lead, n.has_identity_link, n.names_scout, n.best_priority
),

dated as materialized (
    select
        n.on_date,
        n.kind,
        count(*) as person_count
    from scout.person_attribution as s
    cross join lateral scout.days_of(
        s.registered_at, s.ledger_scout_id, s.ledger_updated_at, s.scouting_link_days, s.cabinet_link_days
    ) as n
    group by n.on_date, n.kind
),

by_scout as materialized (
    select
        (s.best).scout_id,
        s.category,
        s.reason_code,
        s.conflict_kind,
        count(*) as person_count
    from scout.person_attribution as s
    where (s.best).scout_id is not null
    group by (s.best).scout_id, s.category, s.reason_code, s.conflict_kind
),

gone_scouts as (
    delete from scout.attribution_scouts as t
    where not exists (
        select from by_scout as c
        where c.scout_id = t.scout_id
            and (c.category, c.reason_code, c.conflict_kind) is not distinct from (t.category, t.reason_code, t.conflict_kind)
    )
    returning 1
),

written_scouts as (
    insert into scout.attribution_scouts as t (scout_id, category, reason_code, conflict_kind, person_count)
    select
        c.scout_id,
        c.category,
        c.reason_code,
        c.conflict_kind,
        c.person_count
    from by_scout as c
    on conflict (scout_id, category, reason_code, conflict_kind) do update
        set person_count = excluded.person_count
        where t.person_count <> excluded.person_count
    returning 1
),

gone_totals as (
    delete from scout.attribution_totals as t
    where not exists (
        select from counted as c
        where (
            c.category, c.reason_code, c.conflict_kind, c.is_lead, c.has_identity_link, c.names_scout, c.best_priority
        ) is not distinct from (
            t.category, t.reason_code, t.conflict_kind, t.is_lead, t.has_identity_link, t.names_scout, t.best_priority
        )
    )
    returning 1
),

written_totals as (
    insert into scout.attribution_totals as t (
        category, reason_code, conflict_kind, is_lead, has_identity_link, names_scout, best_priority, person_count
    )
    select
        c.category, c.reason_code, c.conflict_kind, c.is_lead, c.has_identity_link, c.names_scout, c.best_priority,
        c.person_count
    from counted as c
    on conflict (
        category, reason_code, conflict_kind, is_lead, has_identity_link, names_scout, best_priority
    ) do update
        set person_count = excluded.person_count
        where t.person_count <> excluded.person_count
    returning 1
),

gone_days as (
    delete from scout.attribution_days as t
    where not exists (select from dated as d where d.on_date = t.on_date and d.kind = t.kind)
    returning 1
),

written_days as (
    insert into scout.attribution_days as t (on_date, kind, person_count)
    select
        d.on_date,
        d.kind,
        d.person_count
    from dated as d
    on conflict (on_date, kind) do update
        set person_count = excluded.person_count
        where t.person_count <> excluded.person_count
    returning 1
)

select
    (select count(*) from written_totals) + (select count(*) from gone_totals)
    + (select count(*) from written_scouts) + (select count(*) from gone_scouts)
    + (select count(*) from written_days) + (select count(*) from gone_days) as changed_count;
