-- The roles of the product may not write claims, collection or payments (I16)
select
    r.rolname as role_name,
    g.table_name
from scout.v_guarded_tables as g
inner join pg_roles as r on r.rolname in ('scout_writer', 'scout_reader')
where has_table_privilege(r.oid, g.table_oid, 'insert, update, delete, truncate')
    or has_any_column_privilege(r.oid, g.table_oid, 'insert, update');
