-- The one row: how much is attributed, missing and in conflict now, and how the last run went.
create or replace view ops.v_scout_attribution_metrics_snapshot as
select
    p.total_persons,
    p.persons_with_scout_satisfactory,
    round(100.0 * p.persons_with_scout_satisfactory / nullif(p.total_persons, 0), 2) as pct_scout_satisfactory,
    p.persons_missing_scout,
    p.conflicts_count,
    p.backlog_a_events_without_scout,
    p.backlog_d_scout_in_events_not_in_ledger,
    p.backlog_c_legacy_no_events_no_ledger,
    j.status::text as last_job_status,
    j.completed_at as last_job_ended_at,
    j.started_at as last_job_started_at,
    round(extract(epoch from j.completed_at - j.started_at), 3) as last_job_duration_seconds,
    j.stats as last_job_summary,
    j.error_message::text as last_job_error,
    now() as snapshot_timestamp,
    p.lead_persons,
    round(100.0 * p.satisfactory_lead_persons / nullif(p.lead_persons, 0), 2) as pct_scout_satisfactory_leads,
    p.satisfactory_lead_persons,
    v.is_exact,
    v.as_of
from (
    select
        coalesce(sum(a.person_count), 0)::bigint as total_persons,
        coalesce(sum(a.person_count) filter (where a.category is null), 0)::bigint as persons_with_scout_satisfactory,
        coalesce(sum(a.person_count) filter (where a.category is not null), 0)::bigint as persons_missing_scout,
        coalesce(sum(a.person_count) filter (where a.conflict_kind is not null), 0)::bigint as conflicts_count,
        coalesce(sum(a.person_count) filter (where a.category = 'A'), 0)::bigint as backlog_a_events_without_scout,
        coalesce(sum(a.person_count) filter (where a.category = 'D'), 0)::bigint as backlog_d_scout_in_events_not_in_ledger,
        coalesce(sum(a.person_count) filter (where a.category = 'C'), 0)::bigint as backlog_c_legacy_no_events_no_ledger,
        coalesce(sum(a.person_count) filter (where a.is_lead), 0)::bigint as lead_persons,
        coalesce(sum(a.person_count) filter (where a.is_lead and a.category is null), 0)::bigint as satisfactory_lead_persons
    from scout.v_attribution_totals as a
) as p
left join lateral (
    select
        r.status,
        r.started_at,
        r.completed_at,
        r.stats,
        r.error_message
    from ops.ingestion_runs as r
    where r.job_type = 'scout_attribution_refresh'
    order by r.started_at desc, r.id desc
    limit 1
) as j on true
cross join scout.v_state as v;
comment on column ops.v_scout_attribution_metrics_snapshot.pct_scout_satisfactory is '0..100, two decimals, of all persons; null without persons.';
comment on column ops.v_scout_attribution_metrics_snapshot.pct_scout_satisfactory_leads is '0..100, two decimals, of lead persons: with an event or a link of scouting, migrations or cabinet leads.';
comment on column ops.v_scout_attribution_metrics_snapshot.last_job_status is 'Of the newest refresh: RUNNING, COMPLETED or FAILED; null = never run.';
comment on column ops.v_scout_attribution_metrics_snapshot.is_exact is 'False while so much changed that settled numbers are shown: they are those of as_of.';
comment on column ops.v_scout_attribution_metrics_snapshot.as_of is 'When the numbers were true: now, or an earlier time while is_exact is false.';
