-- What the database holds that somebody should look at.

-- name: count_by_rule
select
    'issues' as list_name,
    q.rule,
    count(*) as row_count,
    min(q.first_seen_at) as since
from scout.data_quality_issues as q
where q.closed_at is null
group by q.rule
union all
select
    'review' as list_name,
    u.reason_code as rule,
    count(*) as row_count,
    min(u.created_at) as since
from scout.src_unmatched as u
where u.status = 'OPEN'
group by u.reason_code
union all
select
    'leads' as list_name,
    case when c.has_scout_in_events then 'SCOUT_IN_EVENTS' else 'NO_SCOUT_IN_EVENTS' end as rule,
    count(*) as row_count,
    min(c.lead_created_at) as since
from ops.v_cabinet_leads_missing_scout_alerts as c
group by c.has_scout_in_events
union all
select
    'runs' as list_name,
    'JOB_FAILED' as rule,
    count(*) as row_count,
    min(r.started_at) as since
from scout.v_runs as r
where r.status = 'FAILED' and r.started_at >= cast(:failed_since as timestamptz)
having count(*) > 0
order by list_name, row_count desc, rule;

-- name: list_issues
select
    q.issue_id,
    q.rule,
    q.source_table,
    q.source_pk,
    q.raw_excerpt,
    q.person_key::text as person_key,
    q.first_seen_at,
    q.last_seen_at,
    q.first_seen_run
from scout.data_quality_issues as q
where q.closed_at is null
    and (cast(:rule as text) is null or q.rule = cast(:rule as text));

-- name: list_review
select
    u.unmatched_id,
    u.source_table,
    u.source_pk,
    u.reason_code,
    cardinality(u.candidate_person_keys) as candidate_count,
    u.candidate_person_keys[1:5]::text[] as candidate_person_keys,
    u.created_at,
    u.run_id
from scout.src_unmatched as u
where u.status = 'OPEN'
    and (cast(:rule as text) is null or u.reason_code = cast(:rule as text));

-- name: list_leads
select
    c.cabinet_lead_id,
    c.external_id,
    c.lead_created_at,
    c.person_key::text as person_key,
    c.potential_scout_id,
    c.has_scout_in_events,
    coalesce(c.lead_created_at, '-infinity') as newest_key
from ops.v_cabinet_leads_missing_scout_alerts as c
where cast(:rule as text) is null or c.has_scout_in_events = (cast(:rule as text) = 'SCOUT_IN_EVENTS');
