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
    cross join lateral (values ('WAITING_FOR_NEXT_RUN', -1), ('UNKNOWN_SCOUT', 1)) as n (reason_code, weight)
    where u.reason_code = 'WAITING_FOR_NEXT_RUN'
        and (select count(*) from scout.v_known_scouts) > 0
        and u.scout_id not in (select k.scout_id from scout.v_known_scouts as k)
) as t
group by t.category, t.reason_code, t.conflict_kind
having sum(t.person_count) <> 0;
