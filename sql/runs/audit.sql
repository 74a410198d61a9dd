-- What runs, decisions and others changed: the three audit tables, in one shape.

-- name: list_ledger
select
    a.id as audit_id,
    a.backfill_timestamp as changed_at,
    a.person_key::text as person_key,
    null::text as source_table,
    null::text as source_pk,
    case when a.is_new_row then 'INSERTED' else 'UPDATED' end as action,
    a.backfill_method as method,
    a.old_attributed_scout_id as old_scout_id,
    a.new_attributed_scout_id as new_scout_id,
    a.ingestion_run_id as run_id,
    a.actor,
    a.notes
from ops.lead_ledger_scout_backfill_audit as a
where (cast(:run_id as integer) is null or a.ingestion_run_id = cast(:run_id as integer))
    and (cast(:method as text) is null or a.backfill_method = cast(:method as text))
    and (cast(:actor as text) is null or a.actor = cast(:actor as text))
    and (cast(:since as timestamptz) is null or a.backfill_timestamp >= cast(:since as timestamptz))
    and (cast(:until as timestamptz) is null or a.backfill_timestamp < cast(:until as timestamptz))
    and (cast(:key_from as uuid) is null or a.person_key >= cast(:key_from as uuid))
    and (cast(:key_to as uuid) is null or a.person_key <= cast(:key_to as uuid));

-- name: list_links
select
    a.id as audit_id,
    a.backfill_timestamp as changed_at,
    a.person_key::text as person_key,
    a.source_table,
    a.source_pk,
    a.action_type::text as action,
    a.match_method as method,
    null::integer as old_scout_id,
    null::integer as new_scout_id,
    a.ingestion_run_id as run_id,
    a.actor,
    a.notes
from ops.identity_links_backfill_audit as a
where (cast(:run_id as integer) is null or a.ingestion_run_id = cast(:run_id as integer))
    and (cast(:method as text) is null or a.match_method = cast(:method as text))
    and (cast(:actor as text) is null or a.actor = cast(:actor as text))
    and (cast(:since as timestamptz) is null or a.backfill_timestamp >= cast(:since as timestamptz))
    and (cast(:until as timestamptz) is null or a.backfill_timestamp < cast(:until as timestamptz))
    and (cast(:key_from as uuid) is null or a.person_key >= cast(:key_from as uuid))
    and (cast(:key_to as uuid) is null or a.person_key <= cast(:key_to as uuid));

-- name: list_events
select
    a.id as audit_id,
    a.backfill_timestamp as changed_at,
    a.person_key::text as person_key,
    a.source_table,
    a.source_pk,
    'UPDATED' as action,
    a.backfill_method as method,
    a.old_scout_id,
    a.new_scout_id,
    a.ingestion_run_id as run_id,
    a.actor,
    a.notes
from ops.lead_events_scout_backfill_audit as a
where (cast(:run_id as integer) is null or a.ingestion_run_id = cast(:run_id as integer))
    and (cast(:method as text) is null or a.backfill_method = cast(:method as text))
    and (cast(:actor as text) is null or a.actor = cast(:actor as text))
    and (cast(:since as timestamptz) is null or a.backfill_timestamp >= cast(:since as timestamptz))
    and (cast(:until as timestamptz) is null or a.backfill_timestamp < cast(:until as timestamptz))
    and (cast(:key_from as uuid) is null or a.person_key >= cast(:key_from as uuid))
    and (cast(:key_to as uuid) is null or a.person_key <= cast(:key_to as uuid));

-- name: count_of_run
select
    'ledger' as table_name,
    a.backfill_method as method,
    count(*) as row_count
from ops.lead_ledger_scout_backfill_audit as a
where a.ingestion_run_id = :run_id
group by a.backfill_method
union all
select
    'links' as table_name,
    a.match_method as method,
    count(*) as row_count
from ops.identity_links_backfill_audit as a
where a.ingestion_run_id = :run_id
group by a.match_method
union all
select
    'events' as table_name,
    a.backfill_method as method,
    count(*) as row_count
from ops.lead_events_scout_backfill_audit as a
where a.ingestion_run_id = :run_id
group by a.backfill_method
order by table_name, row_count desc, method;
