-- name: privileges
select
    current_user::text as role_name,
    current_user = 'scout_writer' as has_role,
    (select r.rolsuper from pg_roles as r where r.rolname = current_user) as is_superuser,
    count(*) as guarded_count,
    coalesce(
        array_agg(g.table_name order by g.table_name) filter (
            where has_table_privilege(g.oid, 'insert, update, delete, truncate')
        ),
        '{}'
    ) as writable
from (
    -- the deny list: whatever is named after Yango, claims or payments, except our own views
    select
        c.oid,
        n.nspname || '.' || c.relname as table_name
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f')
        and n.nspname not in ('pg_catalog', 'information_schema', 'scout')
        and n.nspname not like 'pg_toast%'
        and c.relname ~ '(yango|claim|payment|liquidation)'
        and n.nspname || '.' || c.relname not in ('ops.v_yango_collection_with_scout', 'ops.v_scout_payment_base')
) as g;
