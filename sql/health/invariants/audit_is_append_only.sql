-- The tables that only grow refuse update, delete and truncate, whoever asks (I13)
with guarded_tables as (
    select t.table_name
    from scout.v_append_only as t
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
from guarded_tables as t
where not exists (
    select from pg_trigger as g
    where g.tgrelid = to_regclass(t.table_name) and g.tgname = 'scout_append_only' and g.tgenabled = 'A'
)
union all
select
    t.table_name,
    r.rolname || ' may change it' as problem
from guarded_tables as t
inner join pg_roles as r on r.rolname in ('scout_writer', 'scout_reader')
where has_table_privilege(r.oid, to_regclass(t.table_name), 'update, delete, truncate');
