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

content as materialized (
    select
        c.external_audit_ids,
        d.row_count,
        d.content_hash
    from covered as c
    cross join lateral scout.audit_content(cast(:run_id as integer), c.external_audit_ids) as d
)

insert into scout.seals (run_id, row_count, external_audit_ids, content_hash, previous_hash, seal_hash)
select
    :run_id,
    c.row_count,
    c.external_audit_ids,
    c.content_hash,
    coalesce((select n.seal_hash from newest as n), ''),
    scout.seal_hash(:run_id, c.row_count, c.content_hash, coalesce((select n.seal_hash from newest as n), ''))
from content as c
returning seal_no, row_count, seal_hash;
