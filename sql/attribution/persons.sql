-- name: state
select
    p.person_key::text as person_key,
    p.registered_at,
    p.is_lead,
    p.has_identity_link,
    p.has_ledger_row,
    p.ledger_scout_id,
    p.ledger_updated_at,
    p.category,
    p.reason_code,
    p.conflict_kind,
    p.event_count,
    p.scout_min,
    p.scout_max,
    p.has_unreadable_scout,
    p.decision_id,
    e.erased_at,
    e.run_id as erased_run_id
from scout.v_person_attribution as p
left join lateral (
    select
        x.erased_at,
        x.run_id
    from scout.erased_persons as x
    where x.person_key = p.person_key
    order by x.run_id desc
    limit 1
) as e on true
where p.person_key = cast(:person_key as uuid);

-- name: evidence
select
    e.scout_id,
    e.priority,
    e.source_table,
    e.source_pk,
    e.origin_tag,
    e.attribution_date,
    e.created_at
from ops.v_scout_attribution_raw as e
where e.person_key = cast(:person_key as uuid)
order by e.attribution_date nulls first, e.created_at nulls first, e.priority, e.source_pk, e.scout_id;

-- name: ledger_audit
select
    a.id as audit_id,
    a.backfill_timestamp,
    a.backfill_method,
    a.old_attributed_scout_id,
    a.new_attributed_scout_id,
    a.ingestion_run_id as run_id,
    a.actor
from ops.lead_ledger_scout_backfill_audit as a
where a.person_key = cast(:person_key as uuid)
order by a.id;

-- name: link_audit
select
    a.id as audit_id,
    a.backfill_timestamp,
    a.action_type::text as action_type,
    a.match_method,
    a.source_table,
    a.source_pk,
    a.ingestion_run_id as run_id,
    a.actor
from ops.identity_links_backfill_audit as a
where a.person_key = cast(:person_key as uuid)
order by a.id;

-- name: decisions
select
    d.decision_id,
    d.decided_at,
    d.outcome,
    d.scout_id,
    d.considered_scout_ids,
    d.reason_code,
    d.note,
    d.actor,
    d.run_id
from scout.decisions as d
where d.person_key = cast(:person_key as uuid)
order by d.decision_id;

-- name: holds
select
    h.hold_id,
    h.held_at,
    h.reason,
    h.actor,
    h.run_id
from scout.holds as h
where h.person_key = cast(:person_key as uuid) and h.released_at is null
order by h.hold_id;

-- name: issues
select
    q.rule,
    q.source_table,
    q.source_pk,
    q.raw_excerpt,
    q.first_seen_at
from scout.data_quality_issues as q
where q.person_key = cast(:person_key as uuid) and q.closed_at is null
order by q.issue_id;

-- name: find_by_key
select r.person_key::text as person_key
from scout.src_registry_identifiers as r
where r.person_key between cast(:first_key as uuid) and cast(:last_key as uuid)
order by r.person_key
limit :row_limit;

-- name: find_by_phone
select distinct k.person_key::text as person_key
from scout.v_person_keys as k
where k.phone_key = scout.phone_key(cast(:phone as text)) collate "C"
    and k.person_key not in (select x.person_key from scout.erased_persons as x)
order by person_key
limit :row_limit;

-- name: find_by_license
select distinct k.person_key::text as person_key
from scout.v_person_keys as k
where k.license_key = scout.license_key(cast(:license as text)) collate "C"
    and k.person_key not in (select x.person_key from scout.erased_persons as x)
order by person_key
limit :row_limit;

-- name: find_by_name
select distinct n.person_key::text as person_key
from scout.v_person_names as n
where n.full_name collate "C" ~* all (cast(:name_patterns as text []))
order by person_key
limit :row_limit;

-- name: hits
select
    p.person_key::text as person_key,
    p.is_lead,
    p.ledger_scout_id,
    p.category,
    p.conflict_kind,
    r.phone,
    r.license,
    coalesce(
        r.full_name,
        (select min(n.full_name) from scout.v_person_names as n where n.person_key = r.person_key)
    ) as full_name
from scout.v_person_attribution as p
inner join scout.src_registry_identifiers as r
    on r.person_key = p.person_key
where p.person_key = any(cast(:person_keys as uuid []));

-- name: identifiers
select
    r.phone,
    r.license,
    r.document,
    coalesce(
        r.full_name,
        (select min(n.full_name) from scout.v_person_names as n where n.person_key = r.person_key)
    ) as full_name
from scout.src_registry_identifiers as r
where r.person_key = cast(:person_key as uuid);

-- name: all_holds
select
    h.hold_id,
    h.held_at,
    h.reason,
    h.actor,
    h.run_id,
    h.released_at,
    h.released_by,
    h.release_reason
from scout.holds as h
where h.person_key = cast(:person_key as uuid)
order by h.hold_id;

-- name: all_issues
select
    q.issue_id,
    q.rule,
    q.source_table,
    q.source_pk,
    q.raw_excerpt,
    q.first_seen_at,
    q.first_seen_run as run_id,
    q.closed_at,
    q.closed_run
from scout.data_quality_issues as q
where q.person_key = cast(:person_key as uuid)
order by q.issue_id;

-- name: last_refresh
select
    r.run_id,
    r.completed_at
from scout.v_runs as r
where r.job_type = 'scout_attribution_refresh' and r.status = 'COMPLETED'
order by r.started_at desc, r.run_id desc
limit 1;

-- name: claims
select
    c.driver_id,
    c.milestone_value,
    c.lead_date,
    c.expected_amount,
    c.yango_due_date::date as due_on,
    c.yango_payment_status
from scout.v_claims as c
where c.resolved_person_key = cast(:person_key as uuid)
order by c.lead_date desc nulls last, c.driver_id, c.milestone_value
limit :row_limit;
