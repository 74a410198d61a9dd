-- Each link of a run is the one that its newest audit row made, and the run has audited it once (I4)
with made as (
    select
        k.source_table::text as source_table,
        k.source_pk::text as source_pk,
        k.run_id,
        k.person_key
    from canon.identity_links as k
    inner join scout.runs as r on r.run_id = k.run_id
),

repeated as (
    select
        a.source_table::text as source_table,
        a.source_pk::text as source_pk,
        a.ingestion_run_id as run_id
    from ops.identity_links_backfill_audit as a
    inner join scout.runs as r on r.run_id = a.ingestion_run_id
    where a.action_type::text = 'CREATED'
    group by a.source_table, a.source_pk, a.ingestion_run_id
    having count(*) > 1
)

select
    coalesce(m.run_id, n.run_id) as run_id,
    coalesce(m.source_table, n.source_table) as source_table,
    coalesce(m.source_pk, n.source_pk) as source_pk,
    case when m.source_pk is null then 'audit row without link' else 'link without its one audit row' end as problem
from made as m
full join (select * from scout.v_newest_link_audit as w where w.action_type = 'CREATED') as n
    on n.source_table = m.source_table and n.source_pk = m.source_pk
where m.source_pk is null
    or n.source_pk is null
    or n.person_key <> m.person_key
    -- what somebody else brought back keeps the run that made it
    or (n.match_method <> 'EXTERNAL_CHANGE' and n.run_id <> m.run_id)
union all
select
    p.run_id,
    p.source_table,
    p.source_pk,
    'a run audited the same link more than once' as problem
from repeated as p;
