-- One row per registered person with its state, recomputed from the source tables: the definition of
-- scout.person_attribution, column by column. The list of scouts is joined later, at read.
create or replace view scout.v_person_attribution_live as
select
    p.person_key,
    scout.sane_timestamp(p.registered_at) as registered_at,
    p.is_lead,
    p.has_identity_link,
    p.linked_driver_id,
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
                when exists (select from scout.v_held_persons as h where h.person_key = p.person_key) then 'HELD_AFTER_UNDO'
                when p.event_scout_min <> p.event_scout_max then 'SEVERAL_SCOUTS'
                when p.scout_min <> p.scout_max then 'OTHER_SOURCE_DISAGREES'
                when p.has_unreadable_scout then 'UNREADABLE_SCOUT'
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
                    select from unnest(p.scouts_low || p.scouts_high) as e (scout_id)
                    -- nothing is unlike all of none: a person may be decided before any evidence is there
                    where e.scout_id is not null
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
                    from (
                        -- dated anew, it got its scout no later
                        select
                            least(p.ledger_updated_at, (
                                select k.updated_at from scout.ledger_seen as k
                                where k.person_key = p.person_key and k.scout_id = p.ledger_scout_id
                            )) as updated_at
                    ) as t
                    left join lateral (
                        -- how the ledger got the scout that it has now, and when: the row's own date where the write
                        -- of somebody else brought one, which cannot be later than the write
                        select
                            a.backfill_method,
                            case
                                when a.backfill_method = 'EXTERNAL_CHANGE'
                                    and (a.is_new_row or a.updated_at_new is distinct from a.updated_at_old)
                                    then least(scout.sane_timestamp(a.updated_at_new), a.backfill_timestamp)
                                else a.backfill_timestamp
                            end as got_at
                        from ops.lead_ledger_scout_backfill_audit as a
                        where a.person_key = p.person_key
                            and a.new_attributed_scout_id = p.ledger_scout_id
                            and a.backfill_method not in ('REVERT', 'ERASURE')
                            -- a row that somebody else took away and brought back as it was had its scout before
                            and not (
                                a.backfill_method = 'EXTERNAL_CHANGE'
                                and a.is_new_row
                                and exists (
                                    select from ops.lead_ledger_scout_backfill_audit as g
                                    where g.person_key = a.person_key
                                        and g.id < a.id
                                        and g.backfill_method = 'EXTERNAL_CHANGE'
                                        and g.new_attributed_scout_id is null
                                        and g.old_attributed_scout_id = a.new_attributed_scout_id
                                        and g.updated_at_old = a.updated_at_new
                                )
                            )
                        order by a.id desc
                        limit 1
                    ) as w on true
                    where w.backfill_method = 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS'
                        or exists (
                            select from scout.v_evidence_age as e
                            where e.person_key = p.person_key
                                and e.scout_id <> p.ledger_scout_id
                                -- said twice, so that most rows need no look at when they were seen
                                and coalesce(e.created_at > coalesce(w.got_at, t.updated_at), true)
                                and e.since > coalesce(w.got_at, t.updated_at)
                                and not exists (
                                    -- another row that says the same, from before
                                    select from scout.v_evidence_age as o
                                    where o.person_key = p.person_key
                                        and o.piece = e.piece
                                        and o.since <= coalesce(w.got_at, t.updated_at)
                                )
                        )
                ) then 'CONTRADICTS_LEDGER'
            end
    end as conflict_kind,
    case
        when p.best is null then '{}'
        when p.scout_min = p.scout_max and coalesce(g.ledger_scout_id, p.scout_min) = p.scout_min then array[p.scout_min]
        when p.scout_min is null then array[g.ledger_scout_id]
        else (
            select array_agg(distinct s.scout_id order by s.scout_id)
            from unnest(p.scouts_low || p.scouts_high || g.ledger_scout_id) as s (scout_id)
            where s.scout_id is not null
        )
    end as scout_ids,
    array_remove(
        array[
            case when p.event_evidence_count > 0 then 'observational.lead_events' end,
            case when g.ledger_scout_id is not null then 'observational.lead_ledger' end,
            case when p.payment_evidence_count > 0 then 'public.module_ct_cabinet_payments' end,
            case when p.migration_evidence_count > 0 then 'public.module_ct_migrations' end,
            case when p.scouting_evidence_count > 0 then 'public.module_ct_scouting_daily' end
        ],
        null
    ) as sources,
    case
        when p.evidence_tags is null then '{}'
        when p.evidence_tags[1] = all(p.evidence_tags) then p.evidence_tags[1:1]
        else coalesce((select array_agg(distinct t.tag order by t.tag) from unnest(p.evidence_tags) as t (tag)), '{}')
    end as origin_tags,
    p.event_evidence_count + p.migration_evidence_count + p.scouting_evidence_count + p.payment_evidence_count
    + (g.ledger_scout_id is not null)::integer as evidence_count,
    case
        when p.event_tables is null then '{}'
        when p.event_tables[1] = all(p.event_tables) then p.event_tables[1:1]
        else coalesce((select array_agg(distinct t.name order by t.name) from unnest(p.event_tables) as t (name)), '{}')
    end as event_source_tables,
    case
        when p.event_tags is null then '{}'
        when p.event_tags[1] = all(p.event_tags) then p.event_tags[1:1]
        else coalesce((select array_agg(distinct t.tag order by t.tag) from unnest(p.event_tags) as t (tag)), '{}')
    end as event_origin_tags,
    case
        when p.scouting_link_days is null then '{}'
        when p.scouting_link_days[1] = all(p.scouting_link_days) then p.scouting_link_days[1:1]
        else coalesce((
            select array_agg(distinct t.on_date order by t.on_date) from unnest(p.scouting_link_days) as t (on_date)
            where t.on_date is not null
        ), '{}')
    end as scouting_link_days,
    case
        when p.cabinet_link_days is null then '{}'
        when p.cabinet_link_days[1] = all(p.cabinet_link_days) then p.cabinet_link_days[1:1]
        else coalesce((
            select array_agg(distinct t.on_date order by t.on_date) from unnest(p.cabinet_link_days) as t (on_date)
            where t.on_date is not null
        ), '{}')
    end as cabinet_link_days,
    p.best
from scout.v_person_evidence as p
-- a scout number of the ledger that is none is no evidence
cross join lateral (
    select case when p.ledger_scout_id >= 1 then p.ledger_scout_id end as ledger_scout_id
) as g
left join lateral (
    -- fenced, so that only the decisions of the person at hand are read
    select
        f.decision_id,
        f.scout_id,
        f.considered_scout_ids
    from scout.v_decisions_in_force as f
    where f.person_key = p.person_key
    offset 0
) as d on true;
comment on column scout.v_person_attribution_live.registered_at is 'Null outside 1900..2199.';
comment on column scout.v_person_attribution_live.reason_code is
'WAITING_FOR_NEXT_RUN also where the list of scouts lacks the scout; scout.v_person_attribution tells UNKNOWN_SCOUT apart.';
