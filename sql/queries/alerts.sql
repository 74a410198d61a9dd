-- What an alert of a source row tells of.

-- name: issues_of_row
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
    and q.source_table = :source_table
    and q.source_pk = :source_pk
    and q.rule = :rule
order by q.issue_id
limit 50;

-- name: review_of_row
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
    and u.source_table in (cast(:source_table as text), substring(cast(:source_table as text) from '^public\.(.*)$'))
    and u.source_pk = :source_pk;

-- name: lead_of_row
select
    c.cabinet_lead_id,
    c.external_id,
    c.lead_created_at,
    c.person_key::text as person_key,
    c.potential_scout_id,
    c.has_scout_in_events
from ops.v_cabinet_leads_missing_scout_alerts as c
where c.cabinet_lead_id::text = cast(:source_pk as text);
