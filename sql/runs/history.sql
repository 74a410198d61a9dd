-- Runs as they were: who asked, how long, what each changed and left. Times in UTC.

-- name: list_runs
select
    r.run_id,
    coalesce(r.kind, replace(r.job_type, 'scout_attribution_', '')) as kind,
    r.trigger,
    r.actor,
    r.reason,
    r.is_forced,
    r.status_now as status,
    t.started_at,
    t.completed_at,
    round(extract(epoch from t.completed_at - t.started_at), 3) as duration_seconds,
    r.stats,
    r.error,
    coalesce(t.started_at, '-infinity') as newest_key,
    coalesce(round(extract(epoch from t.completed_at - t.started_at), 3), '-infinity') as longest_key
from scout.v_runs as r
cross join lateral (
    select
        scout.sane_timestamp(r.started_at) as started_at,
        scout.sane_timestamp(r.completed_at) as completed_at
) as t
where (cast(:run_id as integer) is null or r.run_id = cast(:run_id as integer))
    and (
        cast(:kind as text) is null
        or coalesce(r.kind, replace(r.job_type, 'scout_attribution_', '')) = cast(:kind as text)
    )
    and (cast(:status as text) is null or r.status_now = cast(:status as text))
    and (cast(:trigger as text) is null or r.trigger = cast(:trigger as text))
    and (cast(:actor as text) is null or r.actor = cast(:actor as text))
    and (cast(:since as timestamptz) is null or r.started_at >= cast(:since as timestamptz))
    and (cast(:until as timestamptz) is null or r.started_at < cast(:until as timestamptz))
    and (
        not cast(:changed_only as boolean)
        or exists (select from ops.lead_ledger_scout_backfill_audit as a where a.ingestion_run_id = r.run_id)
        or exists (
            select from ops.identity_links_backfill_audit as a
            where a.ingestion_run_id = r.run_id and a.action_type in ('CREATED', 'REVERTED')
        )
    );

-- name: origin
select
    r.host,
    r.version,
    r.request_id
from scout.v_runs as r
where r.run_id = :run_id;

-- name: events
select
    a.event,
    a.step,
    a.details,
    a.recorded_at
from ops.job_runs_audit as a
where a.ingestion_run_id = :run_id
order by a.id
limit :row_limit;

-- name: seal
select
    s.seal_no,
    s.run_id,
    s.row_count,
    s.seal_hash,
    s.previous_hash,
    s.sealed_at
from scout.seals as s
where cast(:run_id as integer) = any(s.covered_run_ids)
order by s.seal_no
limit 1;
