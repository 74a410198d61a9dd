-- The audit tables refuse update, delete and truncate, whoever asks (I13)
with audit_tables (table_name) as (
    values
    ('ops.identity_links_backfill_audit'),
    ('ops.lead_ledger_scout_backfill_audit'),
    ('ops.lead_events_scout_backfill_audit'),
    ('ops.job_runs_audit'),
    ('scout.seals'),
    ('scout.decisions'),
    ('scout.runs'),
    ('scout.denials'),
    ('scout.export_audit'),
    ('scout.alert_events'),
    ('scout.outbox'),
    ('scout.delivery_log'),
    ('scout.quality_results'),
    ('scout.health_changes'),
    ('scout.erased_persons')
    union
    -- whatever else was given such a guard
    select n.nspname || '.' || c.relname
    from pg_trigger as g
    inner join pg_proc as p on p.oid = g.tgfoid
    inner join pg_class as c on c.oid = g.tgrelid
    inner join pg_namespace as n on n.oid = c.relnamespace
    where p.proname = 'refuse_change' and p.pronamespace = to_regnamespace('scout')
)

select
    t.table_name,
    'its protecting trigger is missing or off' as problem
from audit_tables as t
where not exists (
    select from pg_trigger as g
    where g.tgrelid = t.table_name::regclass and g.tgname = 'scout_append_only' and g.tgenabled = 'A'
)
union all
select
    t.table_name,
    r.rolname || ' may change it' as problem
from audit_tables as t
inner join pg_roles as r on r.rolname in ('scout_writer', 'scout_reader')
where has_table_privilege(r.oid, t.table_name, 'update, delete, truncate');
