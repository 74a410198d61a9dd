-- Each link of a run has exactly one audit row, and each audit row its link (I4)
with made as (
    select
        k.source_table::text as source_table,
        k.source_pk::text as source_pk,
        k.run_id,
        k.person_key
    from canon.identity_links as k
    inner join scout.runs as r on r.run_id = k.run_id
),

audited as (
    select
        a.source_table::text as source_table,
        a.source_pk::text as source_pk,
        a.ingestion_run_id as run_id,
        a.person_key,
        count(*) as audit_count
    from ops.identity_links_backfill_audit as a
    inner join scout.runs as r on r.run_id = a.ingestion_run_id
    where a.action_type::text = 'CREATED'
        and not exists (
            select from ops.identity_links_backfill_audit as v
            where v.action_type::text = 'REVERTED'
                and v.source_table = a.source_table
                and v.source_pk = a.source_pk
                and v.id > a.id
        )
    group by a.source_table, a.source_pk, a.ingestion_run_id, a.person_key
)

select
    coalesce(m.run_id, a.run_id) as run_id,
    coalesce(m.source_table, a.source_table) as source_table,
    coalesce(m.source_pk, a.source_pk) as source_pk,
    case when m.run_id is null then 'audit row without link' else 'link without its one audit row' end as problem
from made as m
full join audited as a
    on a.source_table = m.source_table
    and a.source_pk = m.source_pk
    and a.run_id = m.run_id
    and a.person_key = m.person_key
where m.run_id is null or a.run_id is null or a.audit_count <> 1;
