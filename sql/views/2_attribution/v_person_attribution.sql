-- One row per registered person with its state: satisfactory, or exactly one backlog category and reason;
-- conflict_kind null = no open conflict.
create or replace view scout.v_person_attribution as
select
    p.person_key,
    scout.sane_timestamp(p.registered_at) as registered_at,
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
    d.decision_id,
    case
        when p.ledger_scout_id is not null then null
        when p.event_scout_min is not null then 'D'
        when p.event_count > 0 then 'A'
        else 'C'
    end as category,
    case
        when p.ledger_scout_id is not null then null
        when d.decision_id is not null then 'DECIDED_NO_SCOUT'
        when p.event_scout_min is not null then
            case
                when h.person_key is not null then 'HELD_AFTER_UNDO'
                when p.event_scout_min <> p.event_scout_max then 'SEVERAL_SCOUTS'
                when p.scout_min <> p.scout_max then 'OTHER_SOURCE_DISAGREES'
                when p.has_unreadable_scout then 'UNREADABLE_SCOUT'
                when exists (select from scout.src_scouts_list as s where s.scout_id is not null)
                    and p.event_scout_min not in (
                        select s.scout_id from scout.src_scouts_list as s
                        where s.scout_id is not null
                    ) then 'UNKNOWN_SCOUT'
                else 'WAITING_FOR_NEXT_RUN'
            end
        when p.event_count > 0 and p.has_unreadable_scout then 'UNREADABLE_SCOUT'
        when p.scout_min is not null then 'SCOUT_ONLY_IN_OTHER_SOURCE'
        when p.event_count > 0 then 'EVENTS_WITHOUT_SCOUT'
        else 'NO_EVENTS'
    end as reason_code,
    case
        when d.decision_id is not null then
            case
                when exists (
                    select from ops.v_scout_attribution_raw as e
                    where e.person_key = p.person_key
                        and e.priority >= 2
                        and e.scout_id <> all (d.considered_scout_ids)
                        and e.scout_id is distinct from d.scout_id
                ) then 'NEW_EVIDENCE'
            end
        when p.ledger_scout_id is null then
            case when p.scout_min <> p.scout_max then 'SEVERAL_SCOUTS' end
        when p.scout_min <> p.ledger_scout_id or p.scout_max <> p.ledger_scout_id then
            case
                when exists (
                    select
                    from (values (p.ledger_updated_at)) as t (updated_at)
                    left join lateral (
                        -- how the ledger got the scout that it has now
                        select
                            a.backfill_method,
                            a.backfill_timestamp
                        from ops.lead_ledger_scout_backfill_audit as a
                        where a.person_key = p.person_key
                            and a.new_attributed_scout_id = p.ledger_scout_id
                            and a.backfill_method <> 'REVERT'
                        order by a.id desc
                        limit 1
                    ) as w on true
                    where w.backfill_method = 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS'
                        or exists (
                            select from ops.v_scout_attribution_raw as e
                            where e.person_key = p.person_key
                                and e.priority >= 2
                                and e.scout_id <> p.ledger_scout_id
                                and e.created_at > coalesce(w.backfill_timestamp, t.updated_at)
                        )
                ) then 'CONTRADICTS_LEDGER'
            end
    end as conflict_kind
from scout.v_person_attribution_live as p
left join scout.v_decisions_in_force as d
    on d.person_key = p.person_key
left join scout.v_held_persons as h
    on h.person_key = p.person_key;
comment on column scout.v_person_attribution.registered_at is 'Null outside 1900..2199.';
comment on column scout.v_person_attribution.category is
'Backlog: D events name a scout, A events name none, C no events; null = the ledger has a scout.';
comment on column scout.v_person_attribution.conflict_kind is
'SEVERAL_SCOUTS without a ledger scout, CONTRADICTS_LEDGER against it, NEW_EVIDENCE against a decision; null = none open.';
