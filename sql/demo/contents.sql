-- One row per thing in the database that is neither PostgreSQL's own nor an extension's.
select
    'relation' as kind,
    n.nspname || '.' || c.relname as name
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
where
    c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and n.nspname <> 'information_schema'
    and n.nspname not like 'pg\_%'
    and not exists (
        select 1
        from pg_catalog.pg_depend as d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    )
union all
select
    'schema',
    'schema ' || n.nspname
from pg_catalog.pg_namespace as n
where n.nspname in ('canon', 'observational', 'ops', 'scout')
union all
select
    'type',
    'type ' || t.typname
from pg_catalog.pg_type as t
inner join pg_catalog.pg_namespace as n on t.typnamespace = n.oid
where
    n.nspname = 'public'
    and t.typtype = 'e'
    and not exists (
        select 1
        from pg_catalog.pg_depend as d
        where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e'
    )
order by 1, 2;
