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
    p.person_key::text as person_key,
    case when p.event_scout_min = p.event_scout_max then p.event_scout_min end as potential_scout_id,
    coalesce(p.event_scout_min is not null, false) as has_scout_in_events
from scout.src_cabinet_leads as c
left join lateral (
    select
        n.person_key,
        n.event_scout_min,
        n.event_scout_max
    from scout.v_persons_now as n
    where n.person_key = cast(:person_key as uuid)
) as p on true
where c.cabinet_lead_id::text = cast(:source_pk as text);
