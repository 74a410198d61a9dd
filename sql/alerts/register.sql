-- The alerts and what became of them.

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

-- name: looked_at
select
    a.whole_at,
    a.looked_at
from scout.alert_state as a;
