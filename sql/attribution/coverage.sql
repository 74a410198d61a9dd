-- name: snapshot
select
    s.total_persons,
    s.persons_with_scout_satisfactory,
    s.pct_scout_satisfactory,
    s.persons_missing_scout,
    s.conflicts_count,
    s.backlog_a_events_without_scout,
    s.backlog_d_scout_in_events_not_in_ledger,
    s.backlog_c_legacy_no_events_no_ledger,
    s.last_job_status,
    s.last_job_ended_at,
    s.last_job_started_at,
    s.last_job_duration_seconds,
    s.last_job_summary,
    s.last_job_error,
    s.snapshot_timestamp,
    s.lead_persons,
    s.pct_scout_satisfactory_leads,
    s.satisfactory_lead_persons
from ops.v_scout_attribution_metrics_snapshot as s;

-- name: reasons
select
    t.category,
    t.reason_code,
    sum(t.person_count)::bigint as person_count
from scout.v_backlog_totals as t
group by t.category, t.reason_code
order by t.category, person_count desc, t.reason_code;
