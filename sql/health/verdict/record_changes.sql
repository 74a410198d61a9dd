-- One row for each indicator or light whose state is not that of its newest row.
insert into scout.health_changes (
    indicator, from_status, to_status, changed_at, value, run_id, previous_id
)
select
    s.indicator,
    c.to_status,
    s.status,
    :now,
    s.value,
    :run_id,
    c.id
from unnest(cast(:indicators as text[]), cast(:states as text[]), cast(:seen as text[]))
with ordinality as s (indicator, status, value, place)
left join lateral (
    select
        h.id,
        h.to_status
    from scout.health_changes as h
    where h.indicator = s.indicator
    order by h.id desc
    limit 1
) as c on true
where c.to_status is distinct from s.status
order by s.place
-- somebody else saw it at the same moment
on conflict (indicator, previous_id) do nothing
returning indicator, from_status, to_status, changed_at, value, run_id;
