-- One row per backlog category, reason and conflict kind: persons without a scout, exactly now.
create or replace view scout.v_backlog_totals as
select
    t.category,
    t.reason_code,
    t.conflict_kind,
    sum(t.person_count)::bigint as person_count
from (
    select
        g.category,
        g.reason_code,
        g.conflict_kind,
        g.person_count
    from scout.v_attribution_totals as g
    where g.category is not null
    union all
    -- who waits for a scout that the list lacks is counted over to the other reason
    select
        u.category,
        n.reason_code,
        u.conflict_kind,
        n.weight * u.person_count as person_count
    from scout.v_attribution_scouts as u
    cross join lateral scout.reason_now(u.reason_code, u.scout_id) as r
    cross join lateral (values (u.reason_code, -1), (r.reason_code, 1)) as n (reason_code, weight)
    where u.reason_code = 'WAITING_FOR_NEXT_RUN' and r.reason_code <> u.reason_code
) as t
group by t.category, t.reason_code, t.conflict_kind
having sum(t.person_count) <> 0;
