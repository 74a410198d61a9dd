-- The tables that only grow refuse update, delete and truncate, whoever asks (I13)
select
    t.table_name,
    'its protecting trigger is missing or off' as problem
from scout.v_append_only as t
where not exists (
    select from pg_trigger as g
    where g.tgrelid = to_regclass(t.table_name) and g.tgname = 'scout_append_only' and g.tgenabled = 'A'
)
union all
select
    t.table_name,
    r.rolname || ' may change it' as problem
from scout.v_append_only as t
inner join pg_roles as r on r.rolname in ('scout_writer', 'scout_reader')
where has_table_privilege(r.oid, to_regclass(t.table_name), 'update, delete, truncate');
