-- What makes changes of rows that only grow visible. Content is hashed first and chained last: the lock of the chain,
-- which a decision waits for, is held as long as one row takes.

-- name: note_closed_by_hand
-- runs that somebody else than the product set to FAILED, so that nothing noted them
insert into scout.unsealed_rows (table_name, id)
select
    'scout.runs',
    v.run_id
from scout.v_runs as v
where v.status = 'FAILED'
    and v.kind is not null
    and not exists (
        select from ops.job_runs_audit as j
        where j.ingestion_run_id = v.run_id and j.event = 'FAILED'
    )
    and not exists (select from scout.seals as s where v.run_id = any(s.covered_run_ids))
on conflict (table_name, id) do nothing;

-- name: count_unsealed
select count(*) from scout.unsealed_rows;

-- name: take_unsealed
with taken as (
    delete from scout.unsealed_rows as u
    where (u.table_name, u.id) in (
            select
                w.table_name,
                w.id
            from scout.unsealed_rows as w
            where (w.table_name, w.id) > (:after_table, :after_id)
            order by w.table_name, w.id
            limit :row_limit
        )
    returning u.table_name, u.id
)

select
    t.table_name,
    array_agg(t.id order by t.id) as ids
from taken as t
group by t.table_name
order by t.table_name;

-- name: run_contents
select
    c.run_id,
    c.row_count,
    c.content_hash
from scout.run_contents(cast(:run_ids as integer[])) as c;

-- name: row_contents
select
    c.row_count,
    c.content_hash
from scout.row_contents(:table_name, cast(:ids as bigint[])) as c;

-- name: lock
select pg_advisory_xact_lock(:lock_class, 1000);

-- name: add
-- chained by its trigger
insert into scout.seals (run_id, row_count, covered_run_ids, covered_rows, content_hash)
values (:run_id, :row_count, cast(:covered_run_ids as integer[]), cast(:covered_rows as jsonb), :content_hash)
returning seal_no, row_count, seal_hash;

-- name: of_run
select
    s.seal_no,
    s.row_count as rows,
    s.seal_hash as sha256
from scout.v_run_seals as s
where s.run_id = :run_id;
