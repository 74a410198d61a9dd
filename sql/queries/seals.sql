-- What makes changes of the audit visible. A seal is hashed first and chained last: the lock of the chain, which a
-- decision waits for, is held as long as one row takes.

-- name: count_unsealed
select count(*) from scout.unsealed_rows;

-- name: take_unsealed
with taken as (
    delete from scout.unsealed_rows as u
    where u.id in (
            select w.id
            from scout.unsealed_rows as w
            where w.id > :after_id
            order by w.id
            limit :row_limit
        )
    returning u.id
),

listed as (
    select
        count(*) as taken_count,
        max(t.id) as last_id,
        coalesce(array_agg(t.id order by t.id), '{}') as external_audit_ids
    from taken as t
)

select
    l.taken_count,
    l.last_id,
    c.row_count,
    c.content_hash,
    l.external_audit_ids::text
from listed as l
cross join lateral scout.audit_content('{}', l.external_audit_ids) as c;

-- name: list_lost
-- runs that died after they had committed batches
select v.run_id
from scout.v_runs as v
where v.status = 'FAILED'
    and exists (select from ops.job_runs_audit as j where j.ingestion_run_id = v.run_id and j.event = 'BATCH')
    and not exists (select from scout.seals as k where v.run_id = any(k.covered_run_ids))
order by v.run_id;

-- name: content_of_runs
-- what the runs wrote, hashed
select
    c.row_count,
    c.content_hash,
    '{}' as external_audit_ids
from scout.audit_content(:covered_run_ids, '{}') as c;

-- name: lock
select pg_advisory_xact_lock(:lock_class, 1000);

-- name: add
insert into scout.seals (run_id, row_count, covered_run_ids, external_audit_ids, content_hash, previous_hash, seal_hash)
select
    :run_id,
    :row_count,
    :covered_run_ids,
    cast(:external_audit_ids as bigint[]),
    :content_hash,
    p.previous_hash,
    scout.seal_hash(:run_id, :row_count, :content_hash, p.previous_hash)
from (
    select coalesce((
        select s.seal_hash from scout.seals as s
        order by s.seal_no desc
        limit 1
    ), '') as previous_hash
) as p
returning seal_no, row_count, seal_hash;
