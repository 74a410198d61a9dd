-- One row per canonical scout and group of persons: how many, exactly now. reason_code as settled:
-- WAITING_FOR_NEXT_RUN also where the list of scouts lacks the scout.
create or replace view scout.v_attribution_scouts as
select
    g.scout_id,
    g.category,
    g.reason_code,
    g.conflict_kind,
    sum(g.person_count)::bigint as person_count
from (
    select
        t.scout_id,
        t.category,
        t.reason_code,
        t.conflict_kind,
        t.person_count
    from scout.attribution_scouts as t
    where (select scout.reading()) <> 'LIVE'
    union all
    select
        ((c.person).best).scout_id,
        (c.person).category,
        (c.person).reason_code,
        (c.person).conflict_kind,
        c.weight as person_count
    from scout.v_attribution_changes as c
    where ((c.person).best).scout_id is not null
) as g
group by g.scout_id, g.category, g.reason_code, g.conflict_kind
having sum(g.person_count) <> 0;
