-- name: list_open
select
    c.person_key::text as person_key,
    c.conflict_kind,
    c.ledger_scout_id,
    c.distinct_scout_count,
    c.scout_ids,
    c.sources,
    c.origin_tags,
    c.first_event_date,
    c.last_event_date,
    c.total_sources
from ops.v_scout_attribution_conflicts as c
order by c.last_event_date desc nulls last, c.person_key
limit :row_limit;

-- name: count_open
select count(*) as conflict_count
from ops.v_scout_attribution_conflicts as c;
