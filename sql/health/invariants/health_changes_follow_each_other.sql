-- Each change of health begins in the state in which the one before it ended
select
    c.id,
    c.indicator,
    c.from_status,
    p.to_status as status_before
from scout.health_changes as c
left join scout.health_changes as p
    on p.id = c.previous_id
where c.previous_id is not null
    and (p.to_status, p.indicator) is distinct from (c.from_status, c.indicator);
