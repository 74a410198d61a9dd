-- name: list_read
-- One row per column that a run fills from a sequence which this role may read, with the query that compares the two
-- and the statement that sets the sequence.
with tables (table_oid) as (
    select to_regclass(wanted.table_name)::oid
    from (
        values
        ('ops.ingestion_runs'),
        ('canon.identity_links'),
        ('canon.identity_unmatched'),
        ('ops.identity_links_backfill_audit'),
        ('ops.lead_ledger_scout_backfill_audit'),
        ('ops.lead_events_scout_backfill_audit'),
        ('ops.job_runs_audit')
    ) as wanted (table_name)
    union
    select pg_class.oid
    from pg_catalog.pg_class
    where pg_class.relnamespace = to_regnamespace('scout') and pg_class.relkind = 'r'
        -- a standby cannot read an unlogged one
        and pg_class.relpersistence <> 'u'
),

filled (table_oid, column_number, sequence_oid) as (
    -- a default
    select
        pg_attrdef.adrelid,
        pg_attrdef.adnum,
        pg_depend.refobjid
    from pg_catalog.pg_attrdef
    inner join pg_catalog.pg_depend
        on pg_depend.classid = 'pg_attrdef'::regclass
            and pg_depend.objid = pg_attrdef.oid
            and pg_depend.refclassid = 'pg_class'::regclass
    union
    -- an identity
    select
        pg_depend.refobjid,
        pg_depend.refobjsubid,
        pg_depend.objid
    from pg_catalog.pg_depend
    where pg_depend.classid = 'pg_class'::regclass
        and pg_depend.refclassid = 'pg_class'::regclass
        and pg_depend.deptype = 'i'
)

select
    format('%I.%I', table_schema.nspname, pg_class.relname) as table_name,
    pg_attribute.attname::text as column_name,
    format('%I.%I', sequence_schema.nspname, sequence_class.relname) as sequence_name,
    format(
        'select case when s.is_called then s.last_value + %s else s.last_value end as next_value,'
        ' (select max(t.%I)::bigint from %I.%I as t) as highest from %I.%I as s',
        pg_sequence.seqincrement,
        pg_attribute.attname, table_schema.nspname, pg_class.relname, sequence_schema.nspname, sequence_class.relname
    ) as comparison,
    format(
        'select setval(%L, (select max(%I) from %I.%I));',
        format('%I.%I', sequence_schema.nspname, sequence_class.relname),
        pg_attribute.attname, table_schema.nspname, pg_class.relname
    ) as statement
from tables
inner join filled on filled.table_oid = tables.table_oid
inner join pg_catalog.pg_class on pg_class.oid = filled.table_oid
inner join pg_catalog.pg_namespace as table_schema on table_schema.oid = pg_class.relnamespace
inner join pg_catalog.pg_attribute
    on pg_attribute.attrelid = filled.table_oid and pg_attribute.attnum = filled.column_number
inner join pg_catalog.pg_class as sequence_class
    on sequence_class.oid = filled.sequence_oid and sequence_class.relkind = 'S'
inner join pg_catalog.pg_namespace as sequence_schema on sequence_schema.oid = sequence_class.relnamespace
inner join pg_catalog.pg_sequence on pg_sequence.seqrelid = sequence_class.oid and pg_sequence.seqincrement > 0
where has_sequence_privilege(sequence_class.oid, 'select') and has_table_privilege(pg_class.oid, 'select')
order by table_name, column_name;
