-- The alerts and what became of them.

-- name: lock
select pg_advisory_xact_lock(:lock_class, :lock_key);

-- name: try_lock
select pg_try_advisory_xact_lock(:lock_class, :lock_key);

-- name: load
-- what a look has to compare: counted up to one more than is looked up one by one
select
    s.mode,
    s.built_at,
    a.whole_at,
    exists (select from scout.alerts_to_check as n where n.subject = '*') as is_everything_noted,
    (select count(*) from (select from scout.alerts_to_check limit :many) as n) as noted_count,
    exists (select from scout.pending_persons) as has_pending
from scout.state as s
cross join scout.alert_state as a;

-- name: list_standing
-- a mute that has run out is none, also before anybody has looked again
select
    a.alert_id,
    a.rule,
    a.subject,
    a.severity,
    n.status,
    a.text,
    a.person_key::text as person_key,
    a.opened_at,
    a.opened_run,
    a.first_opened_at,
    a.times_opened,
    a.muted_at,
    a.muted_until,
    a.resolved_at,
    a.actor,
    a.reason,
    a.changed_at,
    a.severity_rank
from scout.alerts as a
cross join lateral (
    select
        case
            when a.status = 'MUTED' and a.muted_until <= cast(:now as timestamptz) then 'OPEN'
            else a.status
        end as status
) as n
where a.status <> 'RESOLVED'
    and (cast(:rule as text) is null or a.rule = cast(:rule as text))
    and (cast(:severity as text) is null or a.severity = cast(:severity as text))
    and (cast(:status as text) is null or n.status = cast(:status as text))
    and (cast(:person_key as uuid) is null or a.person_key = cast(:person_key as uuid));

-- name: list_mutes
-- those whose condition is gone too: the mute holds when it comes back
select
    a.alert_id,
    a.rule,
    a.subject,
    a.severity,
    a.status,
    a.text,
    a.person_key::text as person_key,
    a.opened_at,
    a.opened_run,
    a.first_opened_at,
    a.times_opened,
    a.muted_at,
    a.muted_until,
    a.resolved_at,
    a.actor,
    a.reason,
    a.changed_at
from scout.alerts as a
where a.muted_until is not null
    and a.muted_until > cast(:now as timestamptz)
    and (cast(:rule as text) is null or a.rule = cast(:rule as text))
    and (cast(:severity as text) is null or a.severity = cast(:severity as text))
    and (cast(:person_key as uuid) is null or a.person_key = cast(:person_key as uuid));

-- name: list_resolved
select
    a.alert_id,
    a.rule,
    a.subject,
    a.severity,
    a.status,
    a.text,
    a.person_key::text as person_key,
    a.opened_at,
    a.opened_run,
    a.first_opened_at,
    a.times_opened,
    a.muted_at,
    a.muted_until,
    a.resolved_at,
    a.actor,
    a.reason,
    a.changed_at
from scout.alerts as a
where a.status = 'RESOLVED'
    and (cast(:rule as text) is null or a.rule = cast(:rule as text))
    and (cast(:severity as text) is null or a.severity = cast(:severity as text))
    and (cast(:person_key as uuid) is null or a.person_key = cast(:person_key as uuid));

-- name: by_id
select
    a.alert_id,
    a.rule,
    a.subject,
    a.severity,
    case
        when a.status = 'MUTED' and a.muted_until <= cast(:now as timestamptz) then 'OPEN'
        else a.status
    end as status,
    a.text,
    a.person_key::text as person_key,
    a.opened_at,
    a.opened_run,
    a.first_opened_at,
    a.times_opened,
    a.muted_at,
    a.muted_until,
    a.resolved_at,
    a.actor,
    a.reason,
    a.changed_at
from scout.alerts as a
where a.alert_id = any(cast(:alert_ids as bigint []))
order by a.alert_id;

-- name: count_standing
select
    a.rule,
    a.severity,
    count(*) filter (where n.status = 'OPEN') as open_count,
    count(*) filter (where n.status = 'ACKNOWLEDGED') as acknowledged_count,
    count(*) filter (where n.status = 'MUTED') as muted_count,
    min(a.opened_at) as since
from scout.alerts as a
cross join lateral (
    select
        case
            when a.status = 'MUTED' and a.muted_until <= cast(:now as timestamptz) then 'OPEN'
            else a.status
        end as status
) as n
where a.status <> 'RESOLVED'
group by a.rule, a.severity, a.severity_rank
order by a.severity_rank desc, open_count desc, a.rule;

-- name: list_events
select
    e.event_id,
    e.event,
    e.status,
    e.severity,
    e.actor,
    e.reason,
    e.muted_until,
    e.run_id,
    e.at
from scout.alert_events as e
where e.alert_id = :alert_id
order by e.event_id desc
limit :row_limit;

-- name: of_request
select
    e.alert_id,
    a.rule,
    a.subject,
    e.event,
    e.status,
    e.actor,
    e.reason,
    e.muted_until,
    e.at
from scout.alert_events as e
inner join scout.alerts as a on a.alert_id = e.alert_id
where e.request_id = :request_id
order by e.alert_id;

-- name: looked_at
select
    a.whole_at,
    a.looked_at
from scout.alert_state as a;
