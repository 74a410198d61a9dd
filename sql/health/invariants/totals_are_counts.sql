-- Every total is the number of persons that it counts (I12, I20)
with counted as materialized (
    select
        concat_ws(' ', 'group', n.category, n.reason_code, n.conflict_kind)
        || concat(' lead ', n.is_lead, ' link ', n.has_identity_link, ' scout ', n.scout_min is not null, ' ', (n.best).priority) as total_name,
        count(*) as person_count
    from scout.v_persons_now as n
    group by total_name
    union all
    select
        concat_ws(' ', 'scout', (n.best).scout_id, n.category, n.reason_code, n.conflict_kind) as total_name,
        count(*) as person_count
    from scout.v_persons_now as n
    where (n.best).scout_id is not null
    group by total_name
    union all
    select
        concat_ws(' ', d.kind, d.on_date) as total_name,
        count(*) as person_count
    from scout.v_persons_now as n
    cross join lateral (
        select
            'registered' as kind,
            coalesce(scout.lima_date(n.registered_at), '-infinity') as on_date
        union all
        select
            'attributed' as kind,
            coalesce(scout.lima_date(n.ledger_updated_at), '-infinity') as on_date
        where n.ledger_scout_id is not null
        union all
        select
            'scouting_daily' as kind,
            u.on_date
        from unnest(n.scouting_link_days) as u (on_date)
        union all
        select
            'cabinet_leads' as kind,
            u.on_date
        from unnest(n.cabinet_link_days) as u (on_date)
    ) as d
    group by total_name
),

totals as materialized (
    select
        concat_ws(' ', 'group', t.category, t.reason_code, t.conflict_kind)
        || concat(' lead ', t.is_lead, ' link ', t.has_identity_link, ' scout ', t.names_scout, ' ', t.best_priority) as total_name,
        t.person_count
    from scout.v_attribution_totals as t
    union all
    select
        concat_ws(' ', 'scout', t.scout_id, t.category, t.reason_code, t.conflict_kind) as total_name,
        t.person_count
    from scout.v_attribution_scouts as t
    union all
    select
        concat_ws(' ', t.kind, t.on_date) as total_name,
        t.person_count
    from scout.v_attribution_days as t
)

select
    total_name,
    c.person_count as counted,
    t.person_count as in_total
from counted as c
full join totals as t using (total_name)
where c.person_count is distinct from t.person_count;
