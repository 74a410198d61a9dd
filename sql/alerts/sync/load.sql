-- One row: what a look has to compare. Noted persons and rows are counted up to one more than are looked up.
select
    s.mode,
    s.built_at,
    a.whole_at,
    exists (select from scout.alerts_to_check as n where n.subject = '*') as is_everything_noted,
    (select count(*) from (select from scout.alerts_to_check limit :many) as n) as noted_count,
    exists (select from scout.pending_persons) as has_pending
from scout.state as s
cross join scout.alert_state as a;
