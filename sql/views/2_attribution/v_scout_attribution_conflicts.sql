-- One row per person with an open conflict: the scouts that its evidence and the ledger name.
create or replace view ops.v_scout_attribution_conflicts as
select
    o.person_key,
    cardinality(s.scout_ids) as distinct_scout_count,
    s.scout_ids,
    s.sources,
    s.origin_tags,
    s.first_event_date,
    s.last_event_date,
    s.total_sources,
    o.conflict_kind,
    o.ledger_scout_id
from scout.v_open_conflicts as o
cross join lateral (
    select
        array_agg(distinct e.scout_id order by e.scout_id) as scout_ids,
        array_agg(distinct e.source_table order by e.source_table) as sources,
        coalesce(
            array_agg(distinct e.origin_tag order by e.origin_tag) filter (where e.origin_tag is not null), '{}'
        ) as origin_tags,
        min(e.attribution_date) filter (where e.priority >= 2) as first_event_date,
        max(e.attribution_date) filter (where e.priority >= 2) as last_event_date,
        count(*) as total_sources
    from ops.v_scout_attribution_raw as e
    where e.person_key = o.person_key
) as s;
comment on column ops.v_scout_attribution_conflicts.scout_ids is 'Distinct scouts of the evidence and of the ledger, ascending.';
comment on column ops.v_scout_attribution_conflicts.total_sources is 'Pieces of evidence, the ledger''s own included.';
comment on column ops.v_scout_attribution_conflicts.conflict_kind is 'SEVERAL_SCOUTS, CONTRADICTS_LEDGER or NEW_EVIDENCE.';
