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

-- name: record_found
with gone as (
    delete from scout.quality_rows as r
    where r.check_name = :check_name
        and not exists (
            select from quality_found as f where f.source_table = r.source_table and f.source_pk = r.source_pk
        )
    returning 1
),

changed as (
    update scout.quality_rows as r
    set
        person_key = f.person_key,
        detail = f.detail,
        on_date = f.on_date
    from quality_found as f
    where r.check_name = :check_name
        and f.source_table = r.source_table
        and f.source_pk = r.source_pk
        and (f.person_key, f.detail, f.on_date) is distinct from (r.person_key, r.detail, r.on_date)
    returning 1
),

appeared as (
    insert into scout.quality_rows (check_name, source_table, source_pk, person_key, detail, on_date, found_at)
    select
        :check_name,
        f.source_table,
        f.source_pk,
        f.person_key,
        f.detail,
        f.on_date,
        :ran_at
    from quality_found as f
    where not exists (
        select from scout.quality_rows as r
        where r.check_name = :check_name and r.source_table = f.source_table and r.source_pk = f.source_pk
    )
    order by f.on_date nulls first, f.source_table, f.source_pk
    returning 1
),

counted as (
    select count(*) as row_count
    from quality_found as f
)

insert into scout.quality_results (
    check_name, severity, state, row_count, appeared_count, gone_count, lima_date, ran_at, took_ms, run_id, actor
)
select
    :check_name,
    :severity,
    case when c.row_count > 0 then 'FOUND' else 'OK' end,
    c.row_count,
    (select count(*) from appeared),
    (select count(*) from gone),
    :lima_date,
    :ran_at,
    (extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000)::integer,
    :run_id,
    :actor
from counted as c;

-- name: record_failed
insert into scout.quality_results (
    check_name, severity, state, error, lima_date, ran_at, took_ms, run_id, actor
)
values (:check_name, :severity, 'FAILED', :error, :lima_date, :ran_at, :took_ms, :run_id, :actor);
