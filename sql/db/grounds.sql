-- name: list_troubles
select
    t.source_name,
    t.trouble,
    t.detail,
    t.stops_runs
from scout.v_source_troubles as t
order by t.source_name;

-- name: list_untracked
select
    u.source_name,
    u.why
from scout.v_untracked_sources as u
order by u.source_name;

-- name: list_rebuild_requests
select
    r.source_name,
    r.reason,
    min(r.noted_at) as noted_at
from scout.rebuild_requests as r
group by r.source_name, r.reason
order by r.source_name, r.reason;
