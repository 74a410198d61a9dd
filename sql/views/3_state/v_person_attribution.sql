-- One row per registered person with its state: satisfactory, or exactly one backlog category and reason;
-- conflict_kind null = no open conflict.
create or replace view scout.v_person_attribution as
select
    p.person_key,
    p.registered_at,
    p.is_lead,
    p.has_identity_link,
    p.has_ledger_row,
    p.ledger_scout_id,
    p.ledger_updated_at,
    p.event_count,
    p.event_scout_min,
    p.event_scout_max,
    p.scout_min,
    p.scout_max,
    p.event_evidence_count,
    p.migration_evidence_count,
    p.scouting_evidence_count,
    p.payment_evidence_count,
    p.has_unreadable_scout,
    p.first_event_date,
    p.last_event_date,
    p.first_evidence_date,
    p.last_evidence_date,
    p.decision_id,
    p.category,
    r.reason_code,
    p.conflict_kind,
    p.linked_driver_id,
    p.scout_ids,
    p.sources,
    p.origin_tags,
    p.evidence_count,
    p.event_source_tables,
    p.event_origin_tags,
    p.best
from scout.v_persons_now as p
-- as scout.reason_now: who reads a view of the contract may not call what reads the list
cross join lateral (
    select
        case
            when p.reason_code = 'WAITING_FOR_NEXT_RUN'
                and (select count(*) from scout.v_known_scouts) > 0
                and p.event_scout_min not in (select k.scout_id from scout.v_known_scouts as k)
                then 'UNKNOWN_SCOUT'
            else p.reason_code
        end as reason_code
) as r;
comment on column scout.v_person_attribution.registered_at is 'Null outside 1900..2199.';
comment on column scout.v_person_attribution.category is
'Backlog: D events name a scout, A events name none, C no events; null = the ledger has a scout.';
comment on column scout.v_person_attribution.conflict_kind is
'SEVERAL_SCOUTS without a ledger scout, CONTRADICTS_LEDGER against it, NEW_EVIDENCE against a decision; null = none open.';
