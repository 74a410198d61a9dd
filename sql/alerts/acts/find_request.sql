-- What a request did that was sent before, one row per alert, by alert. No row: it is new.
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
