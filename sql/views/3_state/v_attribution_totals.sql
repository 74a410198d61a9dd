-- One row per group of persons: how many, exactly now. The settled totals, less the settled rows of touched
-- persons, plus their live rows. reason_code as settled: WAITING_FOR_NEXT_RUN also for unknown scouts.
create or replace view scout.v_attribution_totals as
select
    g.category,
    g.reason_code,
    g.conflict_kind,
    g.is_lead,
    g.has_identity_link,
    g.names_scout,
    g.best_priority,
    sum(g.person_count)::bigint as person_count
from (
    select
        t.category,
        t.reason_code,
        t.conflict_kind,
        t.is_lead,
        t.has_identity_link,
        t.names_scout,
        t.best_priority,
        t.person_count
    from scout.attribution_totals as t
    where (select scout.reading()) <> 'LIVE'
    union all
    select
        n.category,
        n.reason_code,
        n.conflict_kind,
        n.is_lead,
        n.has_identity_link,
        n.names_scout,
        n.best_priority,
        c.weight as person_count
    from scout.v_attribution_changes as c
    cross join lateral scout.group_of(c.person) as n
) as g
group by
    g.category,
    g.reason_code,
    g.conflict_kind,
    g.is_lead,
    g.has_identity_link,
    g.names_scout,
    g.best_priority
having sum(g.person_count) <> 0;
