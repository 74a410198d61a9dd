-- The link of a source row is the one that its newest audit row made, or took away (I14)
with newest as (
    select distinct on (a.source_table, a.source_pk)
        a.source_table::text as source_table,
        a.source_pk::text as source_pk,
        a.action_type::text as action_type,
        a.person_key,
        a.ingestion_run_id as run_id
    from ops.identity_links_backfill_audit as a
    inner join scout.runs as r on r.run_id = a.ingestion_run_id
    where a.action_type in ('CREATED', 'REVERTED') and a.person_key is not null
    order by
        a.source_table,
        a.source_pk,
        a.id desc
)

select
    n.source_table,
    n.source_pk,
    n.action_type,
    n.person_key as audited_person_key,
    k.person_key as linked_person_key
from newest as n
left join canon.identity_links as k
    on k.source_table = n.source_table
    and k.source_pk = n.source_pk
    -- a link that somebody else made since is theirs
    and k.run_id in (select r.run_id from scout.runs as r)
where k.person_key is distinct from case when n.action_type = 'CREATED' then n.person_key end;
