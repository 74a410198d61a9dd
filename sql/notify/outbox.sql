-- Messages and their way to each channel. A sender takes a delivery by a lease: no lock and no transaction is held
-- while it talks to a channel.

-- name: enqueue
with message as (
    insert into scout.outbox (run_id, status, opened, reopened, resolved, samples, created_at)
    values (
        :run_id,
        :status,
        cast(:opened as jsonb),
        cast(:reopened as jsonb),
        cast(:resolved as jsonb),
        cast(:samples as jsonb),
        :now
    )
    on conflict (run_id) where run_id is not null do nothing
    returning message_id
),

addressed as (
    insert into scout.deliveries (message_id, channel, created_at, pending_since, next_attempt_at)
    select
        m.message_id,
        c.channel,
        :now,
        :now,
        :now
    from message as m
    cross join unnest(cast(:channels as text [])) as c (channel)
)

select m.message_id
from message as m;

-- name: give_up
-- what died with its senders too often, and what no sender has the channel for
update scout.deliveries as d
set
    state = 'DEAD',
    last_outcome = case when d.attempts >= :max_attempts then coalesce(d.last_outcome, 'CRASHED') else 'CHANNEL_GONE' end,
    lease_token = null,
    leased_until = null,
    ended_at = :now
where d.state = 'PENDING'
    and (d.leased_until is null or d.leased_until <= :now)
    and (
        d.attempts >= :max_attempts
        or (d.pending_since <= :not_before and d.channel <> all(cast(:channels as text [])))
    )
returning d.delivery_id;

-- name: has_due
select exists (
    select from scout.deliveries as d
    where d.state = 'PENDING'
        and d.channel = any(cast(:channels as text []))
        -- a time beyond any pause was written by a clock that was wrong
        and (d.next_attempt_at <= :now or d.next_attempt_at > :latest)
        and (d.leased_until is null or d.leased_until <= :now or d.leased_until > :latest)
) as is_due;

-- name: claim
with due as (
    select d.delivery_id
    from scout.deliveries as d
    where d.state = 'PENDING'
        and d.channel = :channel
        -- a time beyond any pause was written by a clock that was wrong
        and (d.next_attempt_at <= :now or d.next_attempt_at > :latest)
        and (d.leased_until is null or d.leased_until <= :now or d.leased_until > :latest)
        and d.attempts < :max_attempts
    order by d.next_attempt_at, d.delivery_id
    limit 1
    for update skip locked
),

claimed as (
    update scout.deliveries as d
    set
        attempts = d.attempts + 1,
        lease_token = :lease_token,
        leased_until = :leased_until
    from due as u
    where d.delivery_id = u.delivery_id
    returning d.delivery_id, d.message_id, d.attempts, d.pending_since
)

select
    c.delivery_id,
    c.message_id,
    c.attempts,
    c.pending_since,
    m.run_id,
    m.status,
    m.opened,
    m.reopened,
    m.resolved,
    m.samples,
    m.created_at,
    r.status as run_status,
    r.trigger as run_trigger,
    f.run_id as failed_run_id,
    f.error as failed_error,
    s.seal_no,
    s.seal_hash
from claimed as c
inner join scout.outbox as m on m.message_id = c.message_id
left join scout.v_runs as r on r.run_id = m.run_id
-- what failed, where the message is of a failure: the run itself, else the newest one before it
left join lateral (
    select
        v.run_id,
        v.error
    from scout.v_runs as v
    where v.status = 'FAILED'
        and v.job_type = 'scout_attribution_refresh'
        -- the clock of the database and that of the message may differ
        and v.completed_at <= m.created_at + interval '5 minutes'
        and (m.opened || m.reopened) ?| array['JOB_FAILED', 'GUARD_STOPPED', 'WORKER_LOST']
    order by v.completed_at desc, v.run_id desc
    limit 1
) as f on true
-- the seal of the run, written after the message in the same commit; else the newest one
left join lateral (
    select
        k.seal_no,
        k.seal_hash
    from scout.seals as k
    where m.run_id is null
        or k.seal_no in (select o.seal_no from scout.v_run_seals as o where o.run_id = m.run_id)
    order by k.seal_no desc
    limit 1
) as s on true;

-- name: record_attempt
with marked as (
    update scout.deliveries as d
    set
        state = :state,
        last_outcome = :outcome,
        next_attempt_at = :next_attempt_at,
        lease_token = null,
        leased_until = null,
        ended_at = case when :state <> 'PENDING' then cast(:now as timestamptz) end
    where d.delivery_id = :delivery_id
        and d.state in ('PENDING', 'DEAD')
        -- another sender may have it meanwhile; what arrived has arrived all the same
        and (d.lease_token = :lease_token or :is_ok)
    returning d.delivery_id
)

insert into scout.delivery_log (delivery_id, channel, is_ok, outcome, http_status, took_ms)
select
    :delivery_id,
    :channel,
    :is_ok,
    :outcome,
    :http_status,
    :took_ms
from (select count(*) from marked) as m;

-- name: record_test
insert into scout.delivery_log (channel, is_ok, outcome, http_status, took_ms, actor)
values (:channel, :is_ok, :outcome, :http_status, :took_ms, :actor);

-- name: retry
-- a corrected address is another channel: the only one of its kind takes over from the one that is gone
with wanted as (
    select
        k.delivery_id,
        k.message_id,
        min(c.channel) as channel
    from scout.deliveries as k
    inner join unnest(cast(:channels as text [])) as c (channel)
        on c.channel = k.channel
        or (
            k.channel <> all(cast(:channels as text []))
            and split_part(c.channel, ':', 1) = split_part(k.channel, ':', 1)
            and not exists (
                select from scout.deliveries as o
                where o.message_id = k.message_id and o.channel = c.channel
            )
        )
    where k.state = 'DEAD' and (cast(:delivery_id as bigint) is null or k.delivery_id = :delivery_id)
    group by k.delivery_id, k.message_id
    having count(*) = 1
),

chosen as (
    select
        min(w.delivery_id) as delivery_id,
        w.channel
    from wanted as w
    group by w.message_id, w.channel
)

update scout.deliveries as d
set
    state = 'PENDING',
    channel = h.channel,
    attempts = 0,
    pending_since = :now,
    next_attempt_at = :now,
    ended_at = null,
    actor = :actor
from chosen as h
where d.delivery_id = h.delivery_id and d.state = 'DEAD'
returning d.delivery_id;

-- name: drop
update scout.deliveries as d
set
    state = 'DROPPED',
    ended_at = :now,
    actor = :actor
where d.state = 'DEAD' and (cast(:delivery_id as bigint) is null or d.delivery_id = :delivery_id)
returning d.delivery_id;

-- name: count_waiting
select
    count(*) filter (where d.state = 'PENDING') as pending_count,
    count(*) filter (where d.state = 'DEAD') as dead_count,
    min(d.pending_since) filter (where d.state = 'PENDING') as oldest_pending_at
from scout.deliveries as d
where d.state in ('PENDING', 'DEAD');

-- name: list_messages
select
    m.message_id,
    m.run_id,
    m.status,
    m.opened,
    m.reopened,
    m.resolved,
    m.created_at
from scout.outbox as m
order by m.created_at desc, m.message_id desc
limit :row_limit;

-- name: list_deliveries
select
    d.delivery_id,
    d.message_id,
    d.channel,
    d.state,
    d.attempts,
    d.last_outcome,
    d.next_attempt_at,
    d.ended_at
from scout.deliveries as d
where d.message_id = any(cast(:message_ids as bigint []))
order by d.message_id desc, d.channel;

-- name: list_dead
select
    d.delivery_id,
    d.message_id,
    d.channel,
    d.state,
    d.attempts,
    d.last_outcome,
    d.next_attempt_at,
    d.ended_at
from scout.deliveries as d
where d.state = 'DEAD'
order by d.delivery_id desc
limit :row_limit;

-- name: list_attempts
select
    l.id as attempt_id,
    l.delivery_id,
    d.message_id,
    l.channel,
    l.is_ok,
    l.outcome,
    l.http_status,
    l.took_ms,
    l.actor,
    l.recorded_at
from scout.delivery_log as l
left join scout.deliveries as d on d.delivery_id = l.delivery_id
order by l.recorded_at desc, l.id desc
limit :row_limit;
