-- Seals the run: its audit rows, and changes by others that no seal covers yet, chained to the last seal.
with newest as (
    select s.seal_hash
    from scout.seals as s
    order by s.seal_no desc
    limit 1
),

covered as materialized (
    select coalesce(array_agg(a.id order by a.id), '{}') as external_audit_ids
    from ops.lead_ledger_scout_backfill_audit as a
    where a.ingestion_run_id is null
        and not exists (
            select from scout.v_sealed_external_rows as k
            where k.id = a.id
        )
),

runs_to_cover as materialized (
    -- the run, and those that died after they had committed batches
    select array_agg(r.run_id order by r.run_id) as covered_run_ids
    from (
        select cast(:run_id as integer) as run_id
        union
        select j.ingestion_run_id
        from ops.job_runs_audit as j
        inner join scout.v_runs as v on v.run_id = j.ingestion_run_id
        where j.event = 'BATCH'
            and v.status = 'FAILED'
            and not exists (select from scout.seals as k where j.ingestion_run_id = any(k.covered_run_ids))
    ) as r
),

content as materialized (
    select
        u.covered_run_ids,
        c.external_audit_ids,
        d.row_count,
        d.content_hash
    from covered as c
    cross join runs_to_cover as u
    cross join lateral scout.audit_content(u.covered_run_ids, c.external_audit_ids) as d
)

insert into scout.seals (run_id, row_count, covered_run_ids, external_audit_ids, content_hash, previous_hash, seal_hash)
select
    :run_id,
    c.row_count,
    c.covered_run_ids,
    c.external_audit_ids,
    c.content_hash,
    coalesce((select n.seal_hash from newest as n), ''),
    scout.seal_hash(:run_id, c.row_count, c.content_hash, coalesce((select n.seal_hash from newest as n), ''))
from content as c
returning seal_no, row_count, seal_hash;
