-- One row per source row that a run linked or a person set aside: what undoing the run does there. kind LINK or
-- DISMISSAL; outcome and later_* as in scout.v_undo_persons.
create or replace view scout.v_undo_links as
select
    w.run_id,
    w.audit_id,
    w.kind,
    w.source_table,
    w.source_pk,
    w.person_key,
    w.evidence_json,
    case
        when v.id is not null then 'ALREADY_UNDONE'
        when w.kind = 'LINK' and k.id is null then 'CHANGED_LATER'
        when w.kind = 'DISMISSAL' and u.id is null then 'CHANGED_LATER'
        else 'UNDO'
    end as outcome,
    coalesce(v.ingestion_run_id, n.ingestion_run_id) as later_run_id,
    coalesce(v.actor, n.actor) as later_actor,
    coalesce(v.action_type, n.action_type) as later_method,
    coalesce(v.backfill_timestamp, n.backfill_timestamp) as later_at
from (
    select
        a.ingestion_run_id as run_id,
        a.id as audit_id,
        case when a.action_type = 'CREATED' then 'LINK' else 'DISMISSAL' end as kind,
        a.source_table::text as source_table,
        a.source_pk::text as source_pk,
        a.person_key,
        a.evidence_json
    from ops.identity_links_backfill_audit as a
    inner join scout.runs as r on r.run_id = a.ingestion_run_id
    where a.action_type = 'CREATED' or (a.action_type = 'SKIPPED' and a.match_method = 'REVIEW_DISMISSED')
) as w
left join canon.identity_links as k
    on w.kind = 'LINK'
    and k.source_table = w.source_table
    and k.source_pk = w.source_pk
    and k.run_id = w.run_id
    and k.person_key = w.person_key
left join canon.identity_unmatched as u
    on w.kind = 'DISMISSAL'
    and u.source_table = w.source_table
    and u.source_pk = w.source_pk
    and u.run_id = w.run_id
    and u.status = 'IGNORED'
left join lateral (
    select
        a.id,
        a.ingestion_run_id,
        a.actor,
        a.action_type::text as action_type,
        a.backfill_timestamp
    from ops.identity_links_backfill_audit as a
    where a.action_type = 'REVERTED' and a.notes = 'reverts audit row ' || w.audit_id || ' of run ' || w.run_id
    limit 1
) as v on true
left join lateral (
    select
        a.ingestion_run_id,
        a.actor,
        a.action_type::text as action_type,
        a.backfill_timestamp
    from ops.identity_links_backfill_audit as a
    where a.source_pk = w.source_pk and a.source_table = w.source_table and a.id > w.audit_id
    order by a.id desc
    limit 1
) as n on true;
