-- One row per source row that a run linked: what the newest audit row says about a link of ours there. CREATED = it
-- leads to that person, REVERTED = there is none.
create or replace view scout.v_newest_link_audit as
select distinct on (a.source_table, a.source_pk)
    a.id as audit_id,
    a.source_table::text as source_table,
    a.source_pk::text as source_pk,
    a.action_type::text as action_type,
    a.match_method,
    a.ingestion_run_id as run_id,
    a.person_key
from ops.identity_links_backfill_audit as a
where a.action_type in ('CREATED', 'REVERTED')
    and a.person_key is not null
    and (
        a.ingestion_run_id in (select r.run_id from scout.runs as r)
        or (
            a.match_method = 'EXTERNAL_CHANGE'
            and a.backfill_timestamp >= (
                select f.value::timestamptz from scout.install_facts as f
                where f.name = 'installed_at'
            )
        )
    )
order by
    a.source_table,
    a.source_pk,
    a.id desc;
