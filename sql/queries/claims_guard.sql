-- name: privileges
select
    current_user::text as role_name,
    current_user = 'scout_writer' as has_role,
    (select r.rolsuper from pg_roles as r where r.rolname = current_user) as is_superuser,
    count(*) as guarded_count,
    coalesce(
        array_agg(g.table_name order by g.table_name) filter (
            where has_table_privilege(g.table_oid, 'insert, update, delete, truncate')
                or has_any_column_privilege(g.table_oid, 'insert, update')
        ),
        '{}'
    ) as writable
from scout.v_guarded_tables as g;
