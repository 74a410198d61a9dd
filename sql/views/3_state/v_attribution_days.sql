-- One row per Lima day and kind: persons registered, attributed or linked that day, exactly now.
-- -infinity = on a day that nobody can tell.
create or replace view scout.v_attribution_days as
select
    g.on_date,
    g.kind,
    sum(g.person_count)::bigint as person_count
from (
    select
        t.on_date,
        t.kind,
        t.person_count
    from scout.attribution_days as t
    where (select scout.reading()) <> 'LIVE'
    union all
    select
        n.on_date,
        n.kind,
        c.weight as person_count
    from scout.v_attribution_changes as c
    cross join lateral scout.days_of(
        (c.person).registered_at, (c.person).ledger_scout_id, (c.person).ledger_updated_at, (c.person).scouting_link_days, (c.person).cabinet_link_days
    ) as n
) as g
group by g.on_date, g.kind
having sum(g.person_count) <> 0;
