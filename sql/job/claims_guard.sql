-- name: privileges
select
    current_user::text as role_name,
    current_user = 'scout_writer' as has_role,
    (select r.rolsuper from pg_roles as r where r.rolname = current_user) as is_superuser,
    (select count(*) from scout.v_guarded_tables) as guarded_count,
    array(
        select c.table_name || ' (' || string_agg(c.allowed, ', ' order by c.allowed) || ')'
        from scout.v_rights_on_claims as c
        where c.role_name = current_user
        group by c.table_name
        order by c.table_name
    ) as writable;
