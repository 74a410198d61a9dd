-- name: list_newest
select
    w.check_name,
    r.state,
    r.row_count,
    r.appeared_count,
    r.gone_count,
    r.error,
    r.lima_date,
    r.ran_at,
    r.took_ms,
    r.run_id,
    r.actor,
    b.row_count as count_before,
    b.ran_at as before_at
from unnest(cast(:check_names as text[])) with ordinality as w (check_name, place)
left join lateral (
    select
        q.id,
        q.state,
        q.row_count,
        q.appeared_count,
        q.gone_count,
        q.error,
        q.lima_date,
        q.ran_at,
        q.took_ms,
        q.run_id,
        q.actor
    from scout.quality_results as q
    where q.check_name = w.check_name
    order by q.id desc
    limit 1
) as r on true
left join lateral (
    select
        q.row_count,
        q.ran_at
    from scout.quality_results as q
    where q.check_name = w.check_name and q.id < r.id and q.row_count is not null
    order by q.id desc
    limit 1
) as b on true
order by w.place;

-- name: list_history
select
    q.state,
    q.row_count,
    q.appeared_count,
    q.gone_count,
    q.error,
    q.ran_at,
    q.took_ms,
    q.run_id,
    q.actor
from scout.quality_results as q
where q.check_name = cast(:check_name as text)
order by q.id desc
limit :row_limit;

-- name: list_rows
select
    r.row_id,
    r.check_name,
    r.source_table,
    r.source_pk,
    r.person_key::text as person_key,
    r.detail,
    r.on_date,
    r.found_at
from scout.quality_rows as r
where cast(:check_name as text) is null or r.check_name = cast(:check_name as text);
