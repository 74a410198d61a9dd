-- One row per table that we read and role of ours from which row level security hides rows of it, with what we read the
-- table through: itself, or a view of the owner. We ask for all rows or an error (row_security = off), so that each is
-- an error; a policy that shows everything counts all the same, for nobody can tell.
create or replace view scout.v_hidden_rows as
with recursive installation as (
    select
        n.nspowner as owner_oid,
        pg_get_userbyid(n.nspowner) = 'scout_owner' as has_roles
    from pg_namespace as n
    where n.nspname = 'scout'
),

views_of_ours as (
    select c.oid as view_oid
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    inner join installation as i on i.owner_oid = c.relowner
    where c.relkind = 'v' and n.nspname in ('scout', 'ops')
),

-- what our views stand on that is no view of ours: they read it with the rights of the owner, the job also by itself
-- and readers what is ours
read_directly as (
    select distinct d.refobjid as relation_oid
    from views_of_ours as v
    inner join pg_rewrite as w on w.ev_class = v.view_oid
    inner join pg_depend as d
        on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
    where d.refobjid not in (select o.view_oid from views_of_ours as o)
        and d.refobjid > 16383
    union
    select c.oid
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    inner join installation as i on i.owner_oid = c.relowner
    where c.relkind in ('r', 'p') and n.nspname in ('scout', 'ops')
),

read (relation_oid, role_oid, source_oid) as (
    select
        d.relation_oid,
        r.oid,
        d.relation_oid
    from read_directly as d
    inner join pg_class as c on c.oid = d.relation_oid
    cross join installation as i
    inner join pg_roles as r
        on r.oid = i.owner_oid
            or (i.has_roles and r.rolname = 'scout_writer')
            or (i.has_roles and r.rolname = 'scout_reader' and c.relowner = i.owner_oid)
    union
    -- beneath a view: with the rights of its owner, or of who reads it
    select
        d.refobjid,
        -- kept as it was written: true, on, yes, 1
        case
            when exists (
                select
                from pg_options_to_table(c.reloptions) as o
                where o.option_name = 'security_invoker' and o.option_value::boolean
            ) then u.role_oid
            else c.relowner
        end,
        u.source_oid
    from read as u
    inner join pg_class as c on c.oid = u.relation_oid and c.relkind = 'v'
    inner join pg_rewrite as w on w.ev_class = c.oid
    inner join pg_depend as d
        on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
    where d.refobjid <> c.oid
)

select distinct
    n.nspname || '.' || c.relname as hidden_table,
    r.rolname::text as role_name,
    s.relnamespace::regnamespace::text || '.' || s.relname as source_name
from read as u
inner join pg_class as c on c.oid = u.relation_oid and c.relkind in ('r', 'p') and c.relrowsecurity
inner join pg_namespace as n on n.oid = c.relnamespace
inner join pg_class as s on s.oid = u.source_oid
inner join pg_roles as r on r.oid = u.role_oid
where
    -- asked first: most databases have none, and pages ask often
    exists (select from pg_class as any_table where any_table.relrowsecurity)
    and not r.rolsuper
    and not r.rolbypassrls
    and (c.relforcerowsecurity or not pg_has_role(r.oid, c.relowner, 'usage'));
