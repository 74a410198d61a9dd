-- One row per relation asked for. column_names is empty where it is absent.
select
    wanted.relation_name,
    pg_class.oid is not null as is_there,
    coalesce(
        has_schema_privilege(pg_class.relnamespace, 'usage')
        and has_table_privilege(pg_class.oid, 'select'),
        false
    ) as is_readable,
    array(
        select pg_attribute.attname::text
        from pg_catalog.pg_attribute
        where pg_attribute.attrelid = pg_class.oid
            and pg_attribute.attnum > 0
            and not pg_attribute.attisdropped
    ) as column_names
from unnest(cast(:relation_names as text[])) as wanted (relation_name)
left join pg_catalog.pg_namespace
    on pg_namespace.nspname = split_part(wanted.relation_name, '.', 1)
left join pg_catalog.pg_class
    on pg_class.relnamespace = pg_namespace.oid
        and pg_class.relname = split_part(wanted.relation_name, '.', 2)
        and pg_class.relkind in ('r', 'p', 'v', 'm', 'f');
