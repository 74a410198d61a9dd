-- One row per role at work, table that the job must never write, and right by which the role could: its own or that of
-- a role that it can become, on the table or on a view through which rows of it are written, at any depth.
create or replace view scout.v_rights_on_claims as
with recursive written_through (relation_oid, table_name) as (
    select
        g.table_oid,
        g.table_name
    from scout.v_guarded_tables as g
    union
    select
        w.ev_class,
        t.table_name
    from written_through as t
    inner join pg_depend as d
        on d.refclassid = 'pg_class'::regclass and d.refobjid = t.relation_oid and d.classid = 'pg_rewrite'::regclass
    inner join pg_rewrite as w on w.oid = d.objid
    inner join pg_class as v on v.oid = w.ev_class and v.relkind = 'v'
    -- 4 update, 8 insert, 16 delete
    where (pg_relation_is_updatable(w.ev_class, true) & 28) <> 0
),

roles_at_work as (
    select
        w.rolname as role_name,
        r.oid as as_role_oid,
        r.rolname as as_role_name
    from pg_roles as w
    inner join pg_roles as r on r.oid = w.oid or pg_has_role(w.oid, r.oid, 'member')
    where w.rolname in ('scout_writer', 'scout_reader', current_user)
)

select
    r.role_name::text as role_name,
    t.table_name,
    p.privilege
    || case when t.table_name <> n.nspname || '.' || c.relname then ' through ' || n.nspname || '.' || c.relname else '' end
    || case when r.as_role_name <> r.role_name then ' as ' || r.as_role_name else '' end as allowed
from roles_at_work as r
cross join written_through as t
inner join pg_class as c on c.oid = t.relation_oid
inner join pg_namespace as n on n.oid = c.relnamespace
cross join lateral (
    values
    ('insert', has_any_column_privilege(r.as_role_oid, c.oid, 'insert')),
    ('update', has_any_column_privilege(r.as_role_oid, c.oid, 'update')),
    ('delete', has_table_privilege(r.as_role_oid, c.oid, 'delete')),
    ('truncate', has_table_privilege(r.as_role_oid, c.oid, 'truncate')),
    -- what a trigger does is done to whoever writes there
    ('trigger', has_table_privilege(r.as_role_oid, c.oid, 'trigger')),
    (
        'maintain',
        case when current_setting('server_version_num')::integer >= 170000 then has_table_privilege(r.as_role_oid, c.oid, 'maintain') end
    )
) as p (privilege, is_held)
where p.is_held;
