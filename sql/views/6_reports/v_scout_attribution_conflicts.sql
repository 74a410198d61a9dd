-- One row per person with an open conflict: the scouts that its evidence and the ledger name.
create or replace view ops.v_scout_attribution_conflicts as
select
    p.person_key,
    cardinality(p.scout_ids) as distinct_scout_count,
    p.scout_ids,
    p.sources,
    p.origin_tags,
    p.first_evidence_date as first_event_date,
    p.last_evidence_date as last_event_date,
    p.evidence_count as total_sources,
    p.conflict_kind,
    p.ledger_scout_id
from scout.v_person_attribution as p
where p.conflict_kind is not null;
comment on column ops.v_scout_attribution_conflicts.scout_ids is 'Distinct scouts of the evidence and of the ledger, ascending.';
comment on column ops.v_scout_attribution_conflicts.total_sources is 'Pieces of evidence, the ledger''s own included.';
comment on column ops.v_scout_attribution_conflicts.conflict_kind is 'SEVERAL_SCOUTS, CONTRADICTS_LEDGER or NEW_EVIDENCE.';
