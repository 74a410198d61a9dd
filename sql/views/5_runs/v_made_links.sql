-- One row per audit row that made a link and that no later one takes back.
create or replace view scout.v_made_links as
select
    a.id as audit_id,
    a.ingestion_run_id as run_id,
    a.source_table::text as source_table,
    a.source_pk::text as source_pk,
    a.person_key
from ops.identity_links_backfill_audit as a
where a.action_type = 'CREATED'
    and not exists (
        select from ops.identity_links_backfill_audit as v
        where v.action_type = 'REVERTED'
            and v.source_table = a.source_table
            and v.source_pk = a.source_pk
            and v.id > a.id
    );
