-- One row per privilege that a role of ours needs, on the sources and on what is ours, and per privilege that
-- somebody holds and must not (is_wanted false). This is the only list: init grants what is not held and takes away
-- what must not be, doctor names both, the rest is never granted.
with recursive source_relations as (
    select
        wanted.relation_name,
        pg_class.oid as relation_oid,
        pg_class.relnamespace as schema_oid
    from unnest(cast(:source_names as text[])) as wanted (relation_name)
    inner join pg_catalog.pg_class on pg_class.oid = to_regclass(wanted.relation_name)
),

our_relations as (
    select
        pg_class.oid as relation_oid,
        pg_class.relkind,
        pg_class.relacl,
        pg_namespace.nspname = 'ops' and pg_class.relkind = 'v' as is_contract,
        pg_class.relname in ('schema_files', 'installed_objects', 'install_facts', 'installed_sources', 'source_views', 'content_key') as is_bookkeeping,
        -- by name: a guard that somebody took away must not widen a right
        pg_namespace.nspname = 'ops'
        or 'scout.' || pg_class.relname = any(cast(:append_only as text[])) as is_append_only,
        pg_class.relname in (
            'planned_links', 'pending_persons', 'person_attribution', 'attribution_totals', 'attribution_scouts',
            'attribution_days', 'unlinked_rows', 'touched_keys', 'rows_to_check', 'alerts_to_check', 'quality_rows',
            'unsealed_rows', 'rebuild_requests', 'source_changes', 'ledger_evidence_kept', 'request_keys',
            'sign_ins', 'session_ends', 'linked_rows', 'moved_links', 'ignored_rows', 'missed_changes'
        ) as is_emptied,
        pg_class.relname in ('ledger_evidence_kept', 'ledger_notes', 'content_key', 'moved_links') as is_private
    from pg_catalog.pg_class
    inner join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
    where pg_class.relkind in ('r', 'p', 'v', 'm', 'S')
        and (
            pg_namespace.nspname = 'scout'
            or (
                pg_namespace.nspname = 'ops'
                and pg_class.relowner = (
                    select scout.nspowner from pg_catalog.pg_namespace as scout where scout.nspname = 'scout'
                )
            )
        )
),

-- who reads a view of the contract: the role for it, and whoever was given a view or columns of one
contract_readers (role_name) as (
    select 'scout_report'
    union
    select case acl.grantee when 0 then 'public' else pg_get_userbyid(acl.grantee)::text end
    from our_relations
    cross join lateral (
        select relation_acl.grantee from aclexplode(our_relations.relacl) as relation_acl
        union all
        select column_acl.grantee
        from pg_catalog.pg_attribute
        cross join aclexplode(pg_attribute.attacl) as column_acl
        where pg_attribute.attrelid = our_relations.relation_oid and not pg_attribute.attisdropped
    ) as acl
    where our_relations.is_contract
        and (acl.grantee = 0 or pg_get_userbyid(acl.grantee) not in ('scout_owner', 'scout_writer', 'scout_reader'))
),

-- what reading a view of the contract evaluates with the rights of who reads: functions, through the views beneath
evaluated (class_oid, object_oid) as (
    select 'pg_class'::regclass::oid, our_relations.relation_oid
    from our_relations
    where our_relations.is_contract
    union
    select beneath.refclassid, beneath.refobjid
    from evaluated
    cross join lateral (
        select pg_depend.refclassid, pg_depend.refobjid
        from pg_catalog.pg_rewrite
        inner join pg_catalog.pg_depend
            on pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
        where evaluated.class_oid = 'pg_class'::regclass and pg_rewrite.ev_class = evaluated.object_oid
        union all
        select pg_depend.refclassid, pg_depend.refobjid
        from pg_catalog.pg_depend
        where evaluated.class_oid = 'pg_proc'::regclass
            and pg_depend.classid = 'pg_proc'::regclass and pg_depend.objid = evaluated.object_oid
    ) as beneath
    where (beneath.refclassid = 'pg_class'::regclass and beneath.refobjid in (select r.relation_oid from our_relations as r))
        or (
            beneath.refclassid = 'pg_proc'::regclass
            and beneath.refobjid in (
                select pg_proc.oid from pg_catalog.pg_proc where pg_proc.pronamespace = to_regnamespace('scout')
            )
        )
),

-- what runs write in the owner's tables; update of one registry column is what a row lock takes, that of the four
-- that identify a person is for erasing them; an undo takes away the links, ledger rows and persons that a run made
writes (privilege, relation_name, column_name) as (
    values
    ('insert', 'canon.identity_registry', null),
    ('update', 'canon.identity_registry', 'updated_at'),
    ('update', 'canon.identity_registry', 'primary_phone'),
    ('update', 'canon.identity_registry', 'primary_license'),
    ('update', 'canon.identity_registry', 'primary_document'),
    ('update', 'canon.identity_registry', 'primary_full_name'),
    ('delete', 'canon.identity_registry', null),
    ('insert', 'canon.identity_links', null),
    ('delete', 'canon.identity_links', null),
    ('insert', 'canon.identity_unmatched', null),
    ('update', 'canon.identity_unmatched', null),
    ('insert', 'observational.lead_ledger', null),
    ('update', 'observational.lead_ledger', null),
    ('delete', 'observational.lead_ledger', null),
    ('insert', 'ops.ingestion_runs', null),
    ('update', 'ops.ingestion_runs', null)
),

-- sequences behind the columns of the tables that the job inserts into
source_sequences as (
    select distinct pg_class.oid as relation_oid
    from writes
    inner join pg_catalog.pg_attrdef on pg_attrdef.adrelid = to_regclass(writes.relation_name)
    inner join pg_catalog.pg_depend
        on pg_depend.classid = 'pg_attrdef'::regclass and pg_depend.objid = pg_attrdef.oid
    inner join pg_catalog.pg_class
        on pg_depend.refclassid = 'pg_class'::regclass and pg_class.oid = pg_depend.refobjid
    where pg_class.relkind = 'S' and writes.privilege = 'insert'
    union
    -- that of an identity
    select pg_class.oid
    from writes
    inner join pg_catalog.pg_depend
        on pg_depend.refclassid = 'pg_class'::regclass
            and pg_depend.refobjid = to_regclass(writes.relation_name)
            and pg_depend.classid = 'pg_class'::regclass
            and pg_depend.deptype = 'i'
    inner join pg_catalog.pg_class on pg_class.oid = pg_depend.objid and pg_class.relkind = 'S'
    where writes.privilege = 'insert'
),

on_relations (role_name, privilege, relation_oid, column_name, is_ours) as (
    select roles.role_name, 'select', source_relations.relation_oid, null, false
    from source_relations
    cross join (values ('scout_owner'), ('scout_writer')) as roles (role_name)
    union all
    select 'scout_writer', writes.privilege, to_regclass(writes.relation_name), writes.column_name, false
    from writes
    where writes.column_name is null
        -- an older registry has not all of them
        or exists (
            select from pg_catalog.pg_attribute
            where pg_attribute.attrelid = to_regclass(writes.relation_name)
                and pg_attribute.attname = writes.column_name
                and not pg_attribute.attisdropped
        )
    union all
    -- to look whether it is behind its column too
    select kind.role_name, kind.privilege, source_sequences.relation_oid, null, false
    from source_sequences
    cross join (
        values ('scout_writer', 'usage'), ('scout_writer', 'select'), ('scout_owner', 'select')
    ) as kind (role_name, privilege)
    union all
    select roles.role_name, 'select', our_relations.relation_oid, null, true
    from our_relations
    cross join (values ('scout_writer'), ('scout_reader')) as roles (role_name)
    where our_relations.relkind <> 'S' and not (our_relations.is_private and roles.role_name = 'scout_reader')
    union all
    select 'scout_writer', kind.privilege, our_relations.relation_oid, null, true
    from our_relations
    cross join (values ('usage'), ('select')) as kind (privilege)
    where our_relations.relkind = 'S'
    union all
    select 'scout_writer', 'insert', our_relations.relation_oid, null, true
    from our_relations
    where our_relations.relkind in ('r', 'p')
        and not our_relations.is_bookkeeping and not our_relations.is_append_only
    union all
    -- when it was written, and under which number, the writer cannot say
    select 'scout_writer', 'insert', our_relations.relation_oid, pg_attribute.attname, true
    from our_relations
    inner join pg_catalog.pg_attribute
        on pg_attribute.attrelid = our_relations.relation_oid
        and pg_attribute.attnum > 0
        and not pg_attribute.attisdropped
    where our_relations.relkind in ('r', 'p')
        and our_relations.is_append_only
        and pg_attribute.attname not in (
            'id', 'seal_no', 'decision_id', 'event_id', 'backfill_timestamp', 'recorded_at', 'sealed_at', 'decided_at',
            'erased_at'
        )
    union all
    -- the contract without what tells who a driver is
    select 'scout_report', 'select', our_relations.relation_oid, pg_attribute.attname, true
    from our_relations
    inner join pg_catalog.pg_attribute
        on pg_attribute.attrelid = our_relations.relation_oid
        and pg_attribute.attnum > 0
        and not pg_attribute.attisdropped
    where our_relations.is_contract and pg_attribute.attname !~ '(phone|licen[cs]e|document|driver_name|full_name)'
    union all
    select 'scout_writer', 'update', our_relations.relation_oid, null, true
    from our_relations
    where our_relations.relkind in ('r', 'p')
        and not our_relations.is_bookkeeping and not our_relations.is_append_only
    union all
    select 'scout_writer', 'delete', our_relations.relation_oid, null, true
    from our_relations
    where our_relations.is_emptied
),

on_schemas (role_name, privilege, schema_oid, is_ours) as (
    select distinct roles.role_name, 'usage', source_relations.schema_oid, false
    from source_relations
    cross join (values ('scout_owner'), ('scout_writer')) as roles (role_name)
    union all
    select wanted.role_name, wanted.privilege, to_regnamespace(wanted.schema_name), wanted.schema_name = 'scout'
    from (
        values
        ('scout_owner', 'create', 'ops'),
        ('scout_reader', 'usage', 'ops'),
        ('scout_report', 'usage', 'ops'),
        ('scout_reader', 'usage', 'scout'),
        ('scout_writer', 'usage', 'scout'),
        -- the login creates indexes and triggers that call functions of ours
        (cast(:login as text), 'usage', 'scout')
    ) as wanted (role_name, privilege, schema_name)
),

-- whom a function of ours serves; nobody else may call it
on_routines (role_name, privilege, routine_oid) as (
    -- everybody: an index of ours on a source calls them for whoever writes there; they see nothing but what they
    -- are given
    select 'public', 'execute', pg_proc.oid
    from pg_catalog.pg_proc
    where pg_proc.pronamespace = to_regnamespace('scout')
        and pg_proc.proname in (
            'license_key', 'phone_key', 'scouting_md5_key', 'read_key', 'read_day', 'read_row_number',
            -- beneath these
            'source_timestamp', 'read_moment', 'sane_timestamp', 'sane_date', 'source_timezone'
        )
        and pg_proc.provolatile = 'i' and not pg_proc.prosecdef
    union all
    select 'scout_writer', 'execute', pg_proc.oid
    from pg_catalog.pg_proc
    where pg_proc.pronamespace = to_regnamespace('scout') and pg_proc.prorettype <> 'pg_catalog.trigger'::regtype
    union all
    -- what reads changes nothing
    select 'scout_reader', 'execute', pg_proc.oid
    from pg_catalog.pg_proc
    where pg_proc.pronamespace = to_regnamespace('scout') and pg_proc.prorettype <> 'pg_catalog.trigger'::regtype
        and pg_proc.provolatile <> 'v'
    union all
    -- doctor looks at runs as the login
    select cast(:login as text), 'execute', pg_proc.oid
    from pg_catalog.pg_proc
    where pg_proc.pronamespace = to_regnamespace('scout') and pg_proc.proname in ('is_at_work', 'is_lost')
    union all
    -- a trigger needs no right to fire, but whoever creates one does
    select cast(:login as text), 'execute', pg_proc.oid
    from pg_catalog.pg_proc
    where pg_proc.pronamespace = to_regnamespace('scout') and pg_proc.prorettype = 'pg_catalog.trigger'::regtype
    union all
    select contract_readers.role_name, 'execute', evaluated.object_oid
    from contract_readers
    cross join evaluated
    where evaluated.class_oid = 'pg_proc'::regclass
),

needed as (
    select
        on_relations.role_name,
        on_relations.privilege || coalesce(' (' || quote_ident(on_relations.column_name) || ')', '') as privilege,
        case pg_class.relkind when 'S' then 'sequence' else 'table' end as object_kind,
        on_relations.relation_oid::regclass::text as object_name,
        on_relations.is_ours,
        case
            when pg_class.relkind = 'S'
                then has_sequence_privilege(pg_roles.oid, on_relations.relation_oid, on_relations.privilege)
            when on_relations.column_name is not null
                then has_column_privilege(
                    pg_roles.oid, on_relations.relation_oid, on_relations.column_name, on_relations.privilege
                )
            else has_table_privilege(pg_roles.oid, on_relations.relation_oid, on_relations.privilege)
        end as is_held
    from on_relations
    inner join pg_catalog.pg_class on pg_class.oid = on_relations.relation_oid
    inner join pg_catalog.pg_roles on pg_roles.rolname = on_relations.role_name
    union all
    select
        on_schemas.role_name, on_schemas.privilege, 'schema', on_schemas.schema_oid::regnamespace::text,
        on_schemas.is_ours,
        has_schema_privilege(pg_roles.oid, on_schemas.schema_oid, on_schemas.privilege)
    from on_schemas
    inner join pg_catalog.pg_roles on pg_roles.rolname = on_schemas.role_name
    where on_schemas.schema_oid is not null
    union all
    select
        on_routines.role_name, on_routines.privilege, 'function', on_routines.routine_oid::regprocedure::text, true,
        has_function_privilege(on_routines.role_name, on_routines.routine_oid, on_routines.privilege)
    from on_routines
    where on_routines.role_name = 'public'
        or on_routines.role_name in (select pg_roles.rolname from pg_catalog.pg_roles)
    union all
    select
        'scout_writer', 'temporary', 'database', quote_ident(current_database()), false,
        has_database_privilege(pg_roles.oid, current_database(), 'temporary')
    from pg_catalog.pg_roles
    where pg_roles.rolname = 'scout_writer'
),

surplus (role_name, privilege, object_kind, object_name) as (
    -- what everybody may call and need not: a new function belongs to everybody until it is taken away
    select 'public', 'execute', 'function', pg_proc.oid::regprocedure::text
    from pg_catalog.pg_proc
    cross join aclexplode(coalesce(pg_proc.proacl, acldefault('f', pg_proc.proowner))) as acl
    where pg_proc.pronamespace = to_regnamespace('scout')
        and acl.grantee = 0
        and not exists (
            select from on_routines where on_routines.role_name = 'public' and on_routines.routine_oid = pg_proc.oid
        )
    union all
    -- a right on a whole view or on anything else of ours shows a report what it must not; taken away, it takes the
    -- columns along, which are given again
    select distinct 'scout_report', 'all', case our_relations.relkind when 'S' then 'sequence' else 'table' end,
        our_relations.relation_oid::regclass::text
    from our_relations
    cross join lateral (
        select relation_acl.grantee from aclexplode(our_relations.relacl) as relation_acl
        union all
        select column_acl.grantee
        from pg_catalog.pg_attribute
        cross join aclexplode(pg_attribute.attacl) as column_acl
        where pg_attribute.attrelid = our_relations.relation_oid
            and not exists (
                select from on_relations
                where on_relations.role_name = 'scout_report'
                    and on_relations.relation_oid = pg_attribute.attrelid
                    and on_relations.column_name = pg_attribute.attname
                    and column_acl.privilege_type = 'SELECT'
            )
    ) as acl
    inner join pg_catalog.pg_roles on pg_roles.oid = acl.grantee and pg_roles.rolname = 'scout_report'
    union all
    select 'scout_report', 'all', 'schema', 'scout'
    from pg_catalog.pg_namespace
    cross join aclexplode(pg_namespace.nspacl) as acl
    inner join pg_catalog.pg_roles on pg_roles.oid = acl.grantee and pg_roles.rolname = 'scout_report'
    where pg_namespace.nspname = 'scout'
)

select
    needed.role_name,
    needed.privilege,
    needed.object_kind,
    needed.object_name,
    needed.is_ours,
    true as is_wanted,
    needed.is_held,
    format(
        'grant %s on %s %s to %s',
        needed.privilege, needed.object_kind, needed.object_name,
        case needed.role_name when 'public' then 'public' else quote_ident(needed.role_name) end
    ) as statement
from needed
union all
select
    surplus.role_name,
    surplus.privilege,
    surplus.object_kind,
    surplus.object_name,
    true,
    false,
    true,
    format(
        'revoke %s on %s %s from %s',
        surplus.privilege, surplus.object_kind, surplus.object_name,
        case surplus.role_name when 'public' then 'public' else quote_ident(surplus.role_name) end
    )
from surplus
order by object_kind, object_name, role_name, privilege;
