-- Acknowledges, mutes or unmutes those of these alerts that it can be done to, each with its event. A mute that has
-- run out is none. One row per event, by alert.
with changed as (
    update scout.alerts as a
    set
        status = case
            when :event = 'ACKNOWLEDGED' then 'ACKNOWLEDGED'
            when :event = 'MUTED' then 'MUTED'
            when a.status = 'MUTED' then 'OPEN'
            else a.status
        end,
        muted_at = case when :event = 'MUTED' then cast(:now as timestamptz) end,
        muted_until = cast(:muted_until as timestamptz),
        answered_content = case when :event in ('ACKNOWLEDGED', 'MUTED') then scout.content_of_subject(a.subject) end,
        actor = cast(:actor as text),
        reason = cast(:reason as text),
        changed_at = cast(:now as timestamptz)
    where a.alert_id = any(cast(:alert_ids as bigint []))
        and case :event
            when 'ACKNOWLEDGED'
                then a.status = 'OPEN' or a.status = 'MUTED' and a.muted_until <= cast(:now as timestamptz)
            when 'MUTED'
                then a.status in ('OPEN', 'ACKNOWLEDGED') or a.status = 'MUTED' and a.muted_until <= cast(:now as timestamptz)
            else coalesce(a.muted_until > cast(:now as timestamptz), false)
        end
    returning a.alert_id, a.rule, a.subject, a.status, a.severity
),

recorded as (
    insert into scout.alert_events as e (
        alert_id, event, status, severity, actor, reason, muted_until, request_id, at
    )
    select
        c.alert_id,
        :event,
        c.status,
        c.severity,
        cast(:actor as text),
        cast(:reason as text),
        cast(:muted_until as timestamptz),
        cast(:request_id as text),
        cast(:now as timestamptz)
    from changed as c
    returning e.alert_id, e.event, e.status, e.actor, e.reason, e.muted_until, e.at
)

select
    r.alert_id,
    c.rule,
    c.subject,
    r.event,
    r.status,
    r.actor,
    r.reason,
    r.muted_until,
    r.at
from recorded as r
inner join changed as c on c.alert_id = r.alert_id
order by r.alert_id;
