-- name: try_lock
select pg_try_advisory_xact_lock(:lock_class, :lock_key);

-- name: mark_transaction
select
    set_config('scout.run_id', :run_id, true),
    set_config('scout.run_kind', :kind, true);

-- name: by_id
select
    r.run_id,
    r.status,
    r.started_at,
    r.completed_at,
    r.stats,
    s.seal_no,
    s.row_count as sealed_rows,
    s.seal_hash
from scout.v_runs as r
left join scout.v_run_seals as s on s.run_id = r.run_id
where r.run_id = :run_id;

-- name: by_request
select
    r.actor,
    r.kind,
    r.run_id,
    r.status,
    r.started_at,
    r.completed_at,
    r.stats,
    s.seal_no,
    s.row_count as sealed_rows,
    s.seal_hash
from scout.v_runs as r
left join scout.v_run_seals as s on s.run_id = r.run_id
where r.request_id = :request_id;

-- name: completed_since
select
    r.run_id,
    r.status,
    r.started_at,
    r.completed_at,
    r.stats,
    s.seal_no,
    s.row_count as sealed_rows,
    s.seal_hash
from scout.v_runs as r
left join scout.v_run_seals as s on s.run_id = r.run_id
where r.job_type = :job_type
    and r.status = 'COMPLETED'
    and r.started_at >= :requested_at
    and r.completed_at >= :not_before
order by r.run_id desc
limit 1;

-- name: running
select
    r.run_id,
    r.started_at,
    r.actor,
    r.host,
    r.process_id
from scout.v_runs as r
where r.job_type = :job_type and r.status = 'RUNNING' and r.host is not null
order by r.run_id desc
limit 1;

-- name: status_of
select r.status::text from ops.ingestion_runs as r
where r.id = :run_id;

-- name: close_lost
with lost as (
    update ops.ingestion_runs as r
    set
        status = 'FAILED',
        completed_at = now(),
        error_message = 'worker lost'
    where r.job_type = cast(:job_type as public.jobtype) and r.status = 'RUNNING'
    returning r.id
)

insert into ops.job_runs_audit (ingestion_run_id, event, details, actor)
select
    l.id,
    'FAILED',
    jsonb_build_object('reason', 'worker lost'),
    :actor
from lost as l
returning ingestion_run_id;

-- name: open
with opened as (
    insert into ops.ingestion_runs (job_type, status, started_at)
    values (cast(:job_type as public.jobtype), 'RUNNING', clock_timestamp())
    returning id
),

described as (
    insert into scout.runs (
        run_id, kind, trigger, actor, reason, request_id, is_forced, host, process_id, version, requested_at
    )
    select
        o.id,
        :kind,
        :trigger,
        :actor,
        :reason,
        :request_id,
        :is_forced,
        :host,
        :process_id,
        :version,
        :requested_at
    from opened as o
    returning run_id
)

insert into ops.job_runs_audit (ingestion_run_id, event, details, actor)
select
    d.run_id,
    'STARTED',
    jsonb_build_object('kind', cast(:kind as text), 'trigger', cast(:trigger as text)),
    :actor
from described as d
returning ingestion_run_id;

-- name: record_event
insert into ops.job_runs_audit (ingestion_run_id, event, step, details, actor)
values (:run_id, :event, :step, cast(:details as jsonb), :actor);

-- name: record_step
-- of a run that is still at work, and stays so meanwhile: nothing is added to one that failed and may be sealed
insert into ops.job_runs_audit (ingestion_run_id, event, step, details, actor)
select
    r.id,
    'STEP',
    :step,
    cast(:details as jsonb),
    :actor
from ops.ingestion_runs as r
where r.id = :run_id and r.status = 'RUNNING'
for share;

-- name: complete
with completed as (
    update ops.ingestion_runs as r
    set
        status = 'COMPLETED',
        completed_at = clock_timestamp(),
        stats = cast(:stats as json)
    where r.id = :run_id and r.status = 'RUNNING'
    returning r.id
)

insert into ops.job_runs_audit (ingestion_run_id, event, details, actor)
select
    c.id,
    'COMPLETED',
    cast(:stats as jsonb),
    :actor
from completed as c;

-- name: fail
with failed as (
    update ops.ingestion_runs as r
    set
        status = 'FAILED',
        completed_at = clock_timestamp(),
        error_message = :reason,
        stats = cast(:stats as json)
    where r.id = :run_id and r.status = 'RUNNING'
    returning r.id
)

-- also of a run that was closed by hand meanwhile, which leaves no trace of its own
insert into ops.job_runs_audit (ingestion_run_id, event, details, actor)
select
    cast(:run_id as integer),
    'FAILED',
    jsonb_build_object('reason', cast(:reason as text)),
    :actor
where exists (select from failed)
    or not exists (
        select from ops.job_runs_audit as j
        where j.ingestion_run_id = :run_id and j.event in ('COMPLETED', 'FAILED')
    );

-- name: newest
select
    r.run_id,
    r.job_type,
    r.trigger,
    r.actor,
    r.status_now as status,
    r.started_at,
    r.completed_at,
    r.stats,
    r.error
from scout.v_runs as r
order by r.started_at desc, r.run_id desc
limit :row_limit;
