-- The installer's questions to the system catalog.

-- name: server
select
    current_setting('server_version_num')::integer as version,
    current_setting('server_version') as version_text,
    pg_is_in_recovery() as is_standby,
    -- of the session, whatever this transaction asked for
    (select reset_val from pg_catalog.pg_settings where name = 'default_transaction_read_only') = 'on' as is_read_only,
    current_setting('server_encoding') as encoding,
    (select reset_val from pg_catalog.pg_settings where name = 'TimeZone') as session_timezone,
    current_database() as database_name;

-- name: login
-- One row: who we are, and who owns schema scout (null = it is not there).
select
    current_setting('server_version_num')::integer as version,
    session_user::text as name,
    pg_roles.rolsuper as is_superuser,
    pg_roles.rolsuper or pg_roles.rolcreaterole as may_create_roles,
    has_database_privilege(session_user, current_database(), 'create') as may_create_schemas,
    (
        select pg_get_userbyid(pg_namespace.nspowner)::text
        from pg_catalog.pg_namespace
        where pg_namespace.nspname = 'scout'
    ) as schema_owner
from pg_catalog.pg_roles
where pg_roles.rolname = session_user;

-- name: roles
-- One row per role of ours that exists. may_be_taken = the login can SET ROLE to it.
select
    pg_roles.rolname::text as rolname,
    pg_roles.rolcanlogin,
    pg_roles.rolsuper,
    pg_has_role(
        session_user,
        pg_roles.oid,
        case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end
    ) as may_be_taken
from pg_catalog.pg_roles
where pg_roles.rolname = any(cast(:roles as text[]))
order by pg_roles.rolname;

-- name: schema_contents
-- One row: whether schema scout is ours (has its bookkeeping) or at least empty.
select
    -- not by to_regclass, which fails without the right to use the schema
    exists (
        select from pg_catalog.pg_class
        where pg_class.relnamespace = to_regnamespace('scout') and pg_class.relname = 'schema_files'
    ) as is_ours,
    not exists (
        select from pg_catalog.pg_depend
        where pg_depend.refclassid = 'pg_namespace'::regclass
            and pg_depend.refobjid = to_regnamespace('scout')
            and pg_depend.deptype = 'n'
    ) as is_empty;

-- name: owned_by_others
-- One row per object that is or becomes ours and belongs to somebody else, with what changes that.
-- The former owner of a view or audit table keeps reading it: things of theirs may stand on it.
-- In the order in which they can be given away.
with candidates as (
    select
        pg_class.oid,
        pg_class.relkind,
        pg_class.relowner,
        pg_namespace.nspname,
        format('%I.%I', pg_namespace.nspname, pg_class.relname) as object_name
    from pg_catalog.pg_class
    inner join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
    where pg_class.relkind in ('r', 'p', 'v', 'm', 'S')
        and (
            pg_namespace.nspname = 'scout'
            or format('%s.%s', pg_namespace.nspname, pg_class.relname) = any(cast(:relation_names as text[]))
        )
        and not exists (
            select from pg_catalog.pg_depend
            where pg_depend.classid = 'pg_class'::regclass and pg_depend.objid = pg_class.oid
                and pg_depend.refclassid = 'pg_class'::regclass and pg_depend.deptype in ('a', 'i')
        )
)

select
    candidates.object_name,
    pg_get_userbyid(candidates.relowner)::text as owner_name,
    format(
        'alter %s %s owner to %I',
        case candidates.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table' end,
        candidates.object_name, cast(:owner as text)
    ) as change_statement,
    case
        when candidates.nspname = 'ops' and not exists (
            select from pg_catalog.pg_roles where pg_roles.oid = candidates.relowner and pg_roles.rolsuper
        )
            then format('grant select on %s to %I', candidates.object_name, pg_get_userbyid(candidates.relowner))
    end as keep_statement
from candidates
where pg_get_userbyid(candidates.relowner) <> :owner
union all
select
    pg_proc.oid::regprocedure::text,
    pg_get_userbyid(pg_proc.proowner)::text,
    format('alter routine %s owner to %I', pg_proc.oid::regprocedure, cast(:owner as text)),
    null
from pg_catalog.pg_proc
where pg_proc.pronamespace = to_regnamespace('scout') and pg_get_userbyid(pg_proc.proowner) <> :owner
union all
select
    pg_type.oid::regtype::text,
    pg_get_userbyid(pg_type.typowner)::text,
    format('alter type %s owner to %I', pg_type.oid::regtype, cast(:owner as text)),
    null
from pg_catalog.pg_type
where pg_type.typnamespace = to_regnamespace('scout') and pg_type.typtype in ('e', 'd', 'r')
    and pg_get_userbyid(pg_type.typowner) <> :owner
union all
-- last: who has given the schema away may not look into it any more
select
    'schema scout',
    pg_get_userbyid(pg_namespace.nspowner)::text,
    format('alter schema scout owner to %I', cast(:owner as text)),
    null
from pg_catalog.pg_namespace
where pg_namespace.nspname = 'scout' and pg_get_userbyid(pg_namespace.nspowner) <> :owner;

-- name: job_type
-- One row: the type of ops.ingestion_runs.job_type, through domains, and its labels when it is an enum.
with recursive column_type (type_oid) as (
    select pg_attribute.atttypid
    from pg_catalog.pg_attribute
    where pg_attribute.attrelid = to_regclass('ops.ingestion_runs') and pg_attribute.attname = 'job_type'
    union all
    select pg_type.typbasetype
    from column_type
    inner join pg_catalog.pg_type on pg_type.oid = column_type.type_oid
    where pg_type.typtype = 'd'
)

select
    format('%I.%I', pg_namespace.nspname, pg_type.typname) as type_name,
    pg_get_userbyid(pg_type.typowner)::text as owner_name,
    pg_type.typtype = 'e' as is_enum,
    array(
        select pg_enum.enumlabel::text from pg_catalog.pg_enum where pg_enum.enumtypid = pg_type.oid
    ) as labels
from column_type
inner join pg_catalog.pg_type on pg_type.oid = column_type.type_oid
inner join pg_catalog.pg_namespace on pg_namespace.oid = pg_type.typnamespace
where pg_type.typtype <> 'd';

-- name: relations
-- One row per relation asked for that exists, also in schemas that we may not use.
select
    wanted.relation_name,
    pg_class.relkind::text as relkind,
    pg_get_userbyid(pg_class.relowner)::text as owner_name
from unnest(cast(:relation_names as text[])) as wanted (relation_name)
inner join pg_catalog.pg_namespace on pg_namespace.nspname = split_part(wanted.relation_name, '.', 1)
inner join pg_catalog.pg_class
    on pg_class.relnamespace = pg_namespace.oid
        and pg_class.relname = split_part(wanted.relation_name, '.', 2);

-- name: relax_audit_table
-- One row per demand of an older audit table that rows of ours cannot meet, with what lifts it.
-- required = columns that we always fill. A list of allowed values that lacks one of ours goes.
select format('alter table %s alter column %I drop not null', pg_attribute.attrelid::regclass, pg_attribute.attname) as statement
from pg_catalog.pg_attribute
where pg_attribute.attrelid = to_regclass(:relation_name)
    and pg_attribute.attnum > 0 and not pg_attribute.attisdropped
    and pg_attribute.attnotnull and not pg_attribute.atthasdef and pg_attribute.attidentity = ''
    and pg_attribute.attname <> all(cast(:required as text[]))
    and not exists (
        select from pg_catalog.pg_index
        where pg_index.indrelid = pg_attribute.attrelid and pg_index.indisprimary
            and pg_attribute.attnum = any(pg_index.indkey)
    )
union all
select format('alter table %s alter column %I type text', pg_attribute.attrelid::regclass, pg_attribute.attname)
from pg_catalog.pg_attribute
where pg_attribute.attrelid = to_regclass(:relation_name)
    and pg_attribute.attnum > 0 and not pg_attribute.attisdropped
    and pg_attribute.atttypid = 'varchar'::regtype and pg_attribute.atttypmod > 0
union all
select format('alter table %s alter column %I set default clock_timestamp()', pg_attribute.attrelid::regclass, pg_attribute.attname)
from pg_catalog.pg_attribute
where pg_attribute.attrelid = to_regclass(:relation_name)
    and not pg_attribute.attisdropped and not pg_attribute.atthasdef
    and pg_attribute.attname in ('backfill_timestamp', 'recorded_at')
union all
select format('alter table %s drop constraint %I', pg_constraint.conrelid::regclass, pg_constraint.conname)
from pg_catalog.pg_constraint
where pg_constraint.conrelid = to_regclass(:relation_name)
    and (
        pg_constraint.contype = 'u'
        or (
            pg_constraint.contype = 'c'
            and exists (
                select from unnest(cast(:our_columns as text[]), cast(:our_values as text[])) as ours (column_name, written)
                inner join pg_catalog.pg_attribute
                    on pg_attribute.attrelid = pg_constraint.conrelid
                        and pg_attribute.attname = ours.column_name
                        and pg_attribute.attnum = any(pg_constraint.conkey)
                where strpos(pg_get_constraintdef(pg_constraint.oid), quote_literal(ours.written)) = 0
            )
        )
    );

-- name: views
-- One row per view of ours that exists. definition_hash is taken with pg_catalog as the only search path.
select
    wanted.view_name,
    md5(pg_get_viewdef(pg_class.oid)) as definition_hash
from unnest(cast(:view_names as text[])) as wanted (view_name)
inner join pg_catalog.pg_class on pg_class.oid = to_regclass(wanted.view_name) and pg_class.relkind = 'v';

-- name: views_upon
-- One row per view that stands on the one asked for, at any distance, the farthest first.
with recursive upon (view_oid, distance) as (
    select cast(to_regclass(:view_name) as oid), 0
    union
    select pg_rewrite.ev_class, upon.distance + 1
    from upon
    inner join pg_catalog.pg_depend
        on pg_depend.refclassid = 'pg_class'::regclass and pg_depend.refobjid = upon.view_oid
            and pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.deptype = 'n'
    inner join pg_catalog.pg_rewrite on pg_rewrite.oid = pg_depend.objid
    where pg_rewrite.ev_class <> upon.view_oid and upon.distance < 100
)

select
    upon.view_oid::regclass::text as view_name,
    max(upon.distance) as distance
from upon
where upon.distance > 0
group by upon.view_oid
order by distance desc, view_name;

-- name: view_grants
-- One row per grant on a view, to give again what a new one with the same name must not lose.
select
    format(
        'grant %s%s on %s to %s%s',
        grants.privilege_type, coalesce(' (' || quote_ident(grants.column_name) || ')', ''), pg_class.oid::regclass,
        case grants.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grants.grantee)) end,
        case when grants.is_grantable then ' with grant option' else '' end
    ) as grant_statement,
    grants.column_name
from pg_catalog.pg_class
cross join lateral (
    select acl.grantee, acl.privilege_type, acl.is_grantable, null as column_name
    from aclexplode(pg_class.relacl) as acl
    union all
    select acl.grantee, acl.privilege_type, acl.is_grantable, pg_attribute.attname
    from pg_catalog.pg_attribute
    cross join aclexplode(pg_attribute.attacl) as acl
    where pg_attribute.attrelid = pg_class.oid and not pg_attribute.attisdropped
) as grants
where pg_class.oid = to_regclass(:view_name) and grants.grantee <> pg_class.relowner;

-- name: indexes
-- One row per index asked for that exists on its table.
select
    wanted.name,
    pg_index.indisvalid and pg_index.indisready as is_valid,
    pg_index.indexrelid::regclass::text as index_name
from unnest(cast(:names as text[]), cast(:relations as text[])) as wanted (name, relation)
inner join pg_catalog.pg_class on pg_class.relname = wanted.name and pg_class.relkind in ('i', 'I')
inner join pg_catalog.pg_index
    on pg_index.indexrelid = pg_class.oid and pg_index.indrelid = to_regclass(wanted.relation);

-- name: astray
-- One row per trigger or index of ours that stands where it should not: on a table that lost its name to another one, or
-- copied along with a table (`like ... including all`): it calls a function of ours in the words of one of ours.
-- names and relations: those that are wanted.
with wanted as (
    select
        w.name,
        to_regclass(w.relation)::oid as relation_oid
    from unnest(cast(:names as text[]), cast(:relations as text[])) as w (name, relation)
)

select
    'trigger' as kind,
    pg_trigger.tgname::text as name,
    format('%I', pg_namespace.nspname) as schema_name,
    pg_class.relname::text as table_name,
    null::text as index_name
from pg_catalog.pg_trigger
inner join pg_catalog.pg_proc on pg_proc.oid = pg_trigger.tgfoid and pg_proc.pronamespace = to_regnamespace('scout')
inner join pg_catalog.pg_class on pg_class.oid = pg_trigger.tgrelid
inner join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
where not pg_trigger.tgisinternal
    and pg_trigger.tgparentid = 0
    and pg_namespace.nspname <> 'scout'
    and format('%s.%s', pg_namespace.nspname, pg_class.relname) <> all(cast(:audit_tables as text[]))
    and (pg_trigger.tgname, pg_trigger.tgrelid) not in (select w.name, w.relation_oid from wanted as w where w.relation_oid is not null)
union all
select distinct
    'index',
    index_class.relname::text,
    format('%I', pg_namespace.nspname),
    pg_class.relname::text,
    pg_index.indexrelid::regclass::text
from pg_catalog.pg_index
inner join pg_catalog.pg_class as index_class on index_class.oid = pg_index.indexrelid
inner join pg_catalog.pg_class on pg_class.oid = pg_index.indrelid
inner join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
where pg_namespace.nspname <> 'scout'
    and not index_class.relispartition
    and format('%s.%s', pg_namespace.nspname, pg_class.relname) <> all(cast(:audit_tables as text[]))
    and (
        index_class.relname in (select i.name from scout.installed_objects as i where i.kind = 'index')
        or exists (
            select
            from pg_catalog.pg_depend
            inner join pg_catalog.pg_proc on pg_proc.oid = pg_depend.refobjid and pg_proc.pronamespace = to_regnamespace('scout')
            inner join scout.installed_objects as i on i.kind = 'index'
            inner join pg_catalog.pg_class as ours on ours.relname = i.name and ours.relkind in ('i', 'I')
            where pg_depend.classid = 'pg_class'::regclass
                and pg_depend.objid = pg_index.indexrelid
                and pg_depend.refclassid = 'pg_proc'::regclass
                and regexp_replace(pg_get_indexdef(ours.oid), '^.*? USING ', '')
                = regexp_replace(pg_get_indexdef(pg_index.indexrelid), '^.*? USING ', '')
        )
    )
    and (index_class.relname, pg_index.indrelid) not in (select w.name, w.relation_oid from wanted as w where w.relation_oid is not null)
order by kind, schema_name, table_name, name;

-- name: kinds
-- One row per relation asked for that exists: whether triggers and indexes can stand on it.
select
    wanted.relation_name,
    pg_class.relkind in ('r', 'p') as may_have_triggers,
    pg_class.relkind in ('r', 'm') as may_have_indexes
from unnest(cast(:relation_names as text[])) as wanted (relation_name)
inner join pg_catalog.pg_class on pg_class.oid = to_regclass(wanted.relation_name);

-- name: note_sources
-- What init found of each source, and which view of ours reads which.
with gone as (
    delete from scout.source_views
),

views as (
    insert into scout.source_views (view_name, source_name)
    select distinct
        format('%s.%s', view_schema.nspname, view_class.relname),
        s.source_name
    from unnest(cast(:source_names as text[])) as s (source_name)
    inner join pg_catalog.pg_depend
        on pg_depend.refclassid = 'pg_class'::regclass and pg_depend.refobjid = to_regclass(s.source_name)
            and pg_depend.classid = 'pg_rewrite'::regclass
    inner join pg_catalog.pg_rewrite on pg_rewrite.oid = pg_depend.objid
    inner join pg_catalog.pg_class as view_class on view_class.oid = pg_rewrite.ev_class
    inner join pg_catalog.pg_namespace as view_schema on view_schema.oid = view_class.relnamespace
    where format('%s.%s', view_schema.nspname, view_class.relname) in (
        select i.name from scout.installed_objects as i
        where i.kind = 'view'
    )
    on conflict do nothing
)

insert into scout.installed_sources as s (
    source_name, is_mandatory, is_used, is_tracked, columns, column_numbers, lack
)
select
    n.source_name,
    n.is_mandatory,
    n.is_used,
    n.is_tracked,
    string_to_array(n.columns, ' '),
    array(
        select coalesce(a.attnum, 0::smallint)
        from unnest(string_to_array(n.columns, ' ')) with ordinality as k (column_name, place)
        left join pg_catalog.pg_attribute as a
            on a.attrelid = to_regclass(n.source_name) and a.attname = k.column_name and not a.attisdropped
        order by k.place
    ),
    nullif(n.lack, '')
from unnest(
    cast(:source_names as text[]), cast(:are_mandatory as boolean[]), cast(:are_used as boolean[]),
    cast(:are_tracked as boolean[]), cast(:columns as text[]), cast(:lacks as text[])
) as n (source_name, is_mandatory, is_used, is_tracked, columns, lack)
on conflict (source_name) do update
    set
        is_mandatory = excluded.is_mandatory,
        is_used = excluded.is_used,
        is_tracked = excluded.is_tracked,
        columns = excluded.columns,
        column_numbers = excluded.column_numbers,
        lack = excluded.lack
returning s.source_name;

-- name: triggers
-- One row per trigger asked for that exists on its table.
select
    wanted.name,
    pg_trigger.tgenabled in ('O', 'A') as is_enabled
from unnest(cast(:names as text[]), cast(:relations as text[])) as wanted (name, relation)
inner join pg_catalog.pg_trigger
    on pg_trigger.tgname = wanted.name and pg_trigger.tgrelid = to_regclass(wanted.relation);

-- name: routines_with_another_path
-- One row per function of ours that works by names which others may have made, with what mends it. Without pg_temp at
-- the end, temporary relations and types of the caller come first. SQL functions of the caller's rights set no path,
-- so that the planner can put them into the query that calls them.
select
    pg_proc.oid::regprocedure::text as routine_name,
    format('alter routine %s set search_path = pg_catalog, pg_temp', pg_proc.oid::regprocedure) as statement
from pg_catalog.pg_proc
inner join pg_catalog.pg_language on pg_language.oid = pg_proc.prolang
cross join lateral (
    select max(setting.setting) as search_path
    from unnest(pg_proc.proconfig) as setting (setting)
    where setting.setting like 'search\_path=%'
) as own
where pg_proc.pronamespace = to_regnamespace('scout')
    and (pg_proc.prosecdef or pg_language.lanname <> 'sql' or own.search_path is not null)
    and own.search_path is distinct from 'search_path=pg_catalog, pg_temp'
order by routine_name;

-- name: foreign_creators
-- One row per schema asked for in which others than its owner, superusers and ourselves may create: who, and what takes
-- that away.
select
    pg_namespace.nspname::text as schema_name,
    string_agg(who.role_name, ', ' order by who.role_name) as role_names,
    string_agg(
        format('revoke create on schema %I from %s;', pg_namespace.nspname, who.role_name), ' ' order by who.role_name
    ) as statements
from pg_catalog.pg_namespace
cross join lateral (
    select distinct case acl.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end as role_name
    from aclexplode(pg_namespace.nspacl) as acl
    left join pg_catalog.pg_roles on pg_roles.oid = acl.grantee
    where acl.privilege_type = 'CREATE'
        and acl.grantee <> pg_namespace.nspowner
        and not coalesce(pg_roles.rolsuper, false)
        and coalesce(pg_roles.rolname, '') <> session_user
        and acl.grantee not in (
            select ours.nspowner from pg_catalog.pg_namespace as ours where ours.nspname = 'scout'
        )
) as who
where pg_namespace.nspname = any(cast(:schemas as text[]))
group by pg_namespace.nspname
order by pg_namespace.nspname;

-- name: own_triggers
-- One row per trigger asked for that exists. enabled: A = always, O = unless as a replica, R = only as one, D = off.
select
    wanted.relation_name,
    wanted.name,
    pg_trigger.tgenabled::text as enabled
from unnest(cast(:names as text[]), cast(:relations as text[])) as wanted (name, relation_name)
inner join pg_catalog.pg_trigger
    on pg_trigger.tgname = wanted.name and pg_trigger.tgrelid = to_regclass(wanted.relation_name);

-- name: own_tables
-- One row per table of ours: of schema scout, and those asked for.
select pg_namespace.nspname || '.' || pg_class.relname as relation_name
from pg_catalog.pg_class
inner join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
where pg_class.relkind in ('r', 'p')
    and (
        pg_namespace.nspname = 'scout'
        or pg_namespace.nspname || '.' || pg_class.relname = any(cast(:names as text[]))
    )
order by relation_name;

-- name: writes_on_ours
-- One row per privilege to change a table, view or sequence of ours that everybody or one of the roles asked for has,
-- e.g. by default privileges of the database in which a backup was restored.
with ours as (
    select
        pg_class.oid,
        pg_class.relkind,
        pg_class.relowner,
        pg_class.relacl,
        case pg_class.relkind when 'S' then 'sequence' else 'table' end as object_kind,
        pg_class.oid::regclass::text as object_name
    from pg_catalog.pg_class
    inner join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
    where pg_class.relkind in ('r', 'p', 'v', 'm', 'S')
        and (
            pg_namespace.nspname = 'scout'
            or pg_namespace.nspname || '.' || pg_class.relname = any(cast(:relation_names as text[]))
        )
),

grants as (
    select ours.object_kind, ours.object_name, ours.relowner, acl.grantee, lower(acl.privilege_type) as privilege
    from ours
    cross join aclexplode(ours.relacl) as acl
    union all
    select
        ours.object_kind, ours.object_name, ours.relowner, acl.grantee,
        lower(acl.privilege_type) || ' (' || quote_ident(pg_attribute.attname) || ')'
    from ours
    inner join pg_catalog.pg_attribute on pg_attribute.attrelid = ours.oid and not pg_attribute.attisdropped
    cross join aclexplode(pg_attribute.attacl) as acl
)

select
    case grants.grantee when 0 then 'public' else pg_get_userbyid(grants.grantee)::text end as role_name,
    grants.privilege,
    grants.object_name,
    format(
        'revoke %s on %s %s from %s', grants.privilege, grants.object_kind, grants.object_name,
        case grants.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grants.grantee)) end
    ) as revoke_statement
from grants
where grants.grantee <> grants.relowner
    and (grants.grantee = 0 or pg_get_userbyid(grants.grantee)::text = any(cast(:roles as text[])))
    and grants.privilege not like 'select%' and grants.privilege <> 'usage'
order by grants.object_name, role_name, grants.privilege;

-- name: functions_by_bare_names
-- One row per function of others that runs in sessions of ours and names something of schema public without saying so,
-- which is not found there: of a trigger on what we write, or of a view that we read. A column of the same name counts
-- too, so this is a guess.
with recursive beneath (relation_oid) as (
    select to_regclass(wanted.relation_name)::oid
    from unnest(cast(:source_names as text[])) as wanted (relation_name)
    union
    select pg_depend.refobjid
    from beneath
    inner join pg_catalog.pg_rewrite on pg_rewrite.ev_class = beneath.relation_oid
    inner join pg_catalog.pg_depend
        on pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
            and pg_depend.refclassid = 'pg_class'::regclass and pg_depend.refobjid > 16383
),

used (routine_oid, place) as (
    select pg_trigger.tgfoid, format('a trigger on %s', pg_trigger.tgrelid::regclass)
    from pg_catalog.pg_trigger
    where pg_trigger.tgrelid in (select beneath.relation_oid from beneath) and not pg_trigger.tgisinternal
    union
    select pg_depend.refobjid, format('view %s', pg_rewrite.ev_class::regclass)
    from beneath
    inner join pg_catalog.pg_rewrite on pg_rewrite.ev_class = beneath.relation_oid
    inner join pg_catalog.pg_depend
        on pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
            and pg_depend.refclassid = 'pg_proc'::regclass
)

select
    pg_proc.oid::regprocedure::text as routine_name,
    string_agg(distinct used.place, ', ') as places,
    string_agg(distinct bare.name, ', ') as names
from used
inner join pg_catalog.pg_proc on pg_proc.oid = used.routine_oid
inner join pg_catalog.pg_namespace on pg_namespace.oid = pg_proc.pronamespace
inner join pg_catalog.pg_language on pg_language.oid = pg_proc.prolang
cross join lateral (
    select found.word[1] as name
    from regexp_matches(lower(pg_proc.prosrc), '(?<![[:alnum:]_.])([a-z_][a-z0-9_]*)\M(?!\s*[.])', 'g') as found (word)
    where exists (
            select from pg_catalog.pg_class
            where pg_class.relname = found.word[1] and pg_class.relnamespace = to_regnamespace('public')
        )
        or exists (
            select from pg_catalog.pg_proc as routine
            where routine.proname = found.word[1] and routine.pronamespace = to_regnamespace('public')
        )
) as bare
where pg_namespace.nspname not in ('scout', 'pg_catalog')
    and pg_language.lanname in ('sql', 'plpgsql')
    and not exists (
        select from unnest(pg_proc.proconfig) as setting (setting) where setting.setting like 'search\_path=%'
    )
group by pg_proc.oid
order by routine_name;

-- name: foreign_dependents
-- One row per thing that is not ours and stands on something of ours.
with recursive ours (classid, objid) as (
    (
        select pg_depend.classid, pg_depend.objid
        from pg_catalog.pg_depend
        where pg_depend.refclassid = 'pg_namespace'::regclass
            and pg_depend.refobjid = to_regnamespace('scout') and pg_depend.deptype = 'n'
        union all
        select 'pg_class'::regclass, to_regclass(installed.name)
        from scout.installed_objects as installed
        where installed.kind = 'view' and to_regclass(installed.name) is not null
        union all
        select 'pg_class'::regclass, pg_class.oid
        from scout.installed_objects as installed
        inner join pg_catalog.pg_class on pg_class.relname = installed.name and pg_class.relkind in ('i', 'I')
        where installed.kind = 'index'
        union all
        -- copied along with a table: it calls a function of ours in the words of one of ours
        select 'pg_class'::regclass, pg_depend.objid
        from pg_catalog.pg_depend
        inner join pg_catalog.pg_class on pg_class.oid = pg_depend.objid and pg_class.relkind in ('i', 'I')
        inner join pg_catalog.pg_proc on pg_proc.oid = pg_depend.refobjid and pg_proc.pronamespace = to_regnamespace('scout')
        inner join scout.installed_objects as i on i.kind = 'index'
        inner join pg_catalog.pg_class as ours on ours.relname = i.name and ours.relkind in ('i', 'I')
        where pg_depend.classid = 'pg_class'::regclass and pg_depend.refclassid = 'pg_proc'::regclass
            and regexp_replace(pg_get_indexdef(ours.oid), '^.*? USING ', '') = regexp_replace(pg_get_indexdef(pg_class.oid), '^.*? USING ', '')
        union all
        -- wherever the table has gone
        select 'pg_trigger'::regclass, pg_trigger.oid
        from pg_catalog.pg_trigger
        inner join pg_catalog.pg_proc on pg_proc.oid = pg_trigger.tgfoid and pg_proc.pronamespace = to_regnamespace('scout')
        where pg_trigger.tgname in (select i.name from scout.installed_objects as i where i.kind = 'trigger')
        union all
        select 'pg_trigger'::regclass, pg_trigger.oid
        from unnest(cast(:audit_tables as text[])) as audit (relation_name)
        inner join pg_catalog.pg_trigger on pg_trigger.tgrelid = to_regclass(audit.relation_name)
    )
    union
    select pg_depend.classid, pg_depend.objid
    from ours
    inner join pg_catalog.pg_depend
        on pg_depend.refclassid = ours.classid and pg_depend.refobjid = ours.objid
            and pg_depend.deptype in ('a', 'i', 'P', 'S')
)

select distinct
    pg_describe_object(pg_depend.classid, pg_depend.objid, pg_depend.objsubid) as description
from ours
inner join pg_catalog.pg_depend
    on pg_depend.refclassid = ours.classid and pg_depend.refobjid = ours.objid and pg_depend.deptype = 'n'
where not exists (
    select from ours as inner_ours
    where inner_ours.classid = pg_depend.classid and inner_ours.objid = pg_depend.objid
)
order by description;

-- name: audit_ties
-- One row per tie of an audit table to schema scout (its triggers), with what cuts it.
select format('drop trigger %I on %s', pg_trigger.tgname, pg_trigger.tgrelid::regclass) as statement
from pg_catalog.pg_trigger
inner join pg_catalog.pg_proc on pg_proc.oid = pg_trigger.tgfoid
where pg_trigger.tgrelid = any(
    select to_regclass(names.relation_name) from unnest(cast(:relation_names as text[])) as names (relation_name)
)
and pg_proc.pronamespace = to_regnamespace('scout')
and not pg_trigger.tgisinternal;

-- name: remaining_grants
-- One row per privilege that a role of ours holds in this database, with what takes it away.
with grants (grantee, object_kind, object_name, privilege) as (
    select acl.grantee, case pg_class.relkind when 'S' then 'sequence' else 'table' end,
        pg_class.oid::regclass::text, acl.privilege_type
    from pg_catalog.pg_class
    cross join aclexplode(pg_class.relacl) as acl
    where acl.grantee <> pg_class.relowner
    union all
    select acl.grantee, 'table', pg_class.oid::regclass::text,
        format('%s (%I)', acl.privilege_type, pg_attribute.attname)
    from pg_catalog.pg_attribute
    inner join pg_catalog.pg_class on pg_class.oid = pg_attribute.attrelid
    cross join aclexplode(pg_attribute.attacl) as acl
    where acl.grantee <> pg_class.relowner and not pg_attribute.attisdropped
    union all
    select acl.grantee, 'schema', pg_namespace.oid::regnamespace::text, acl.privilege_type
    from pg_catalog.pg_namespace
    cross join aclexplode(pg_namespace.nspacl) as acl
    where acl.grantee <> pg_namespace.nspowner
    union all
    select acl.grantee, 'database', quote_ident(pg_database.datname), acl.privilege_type
    from pg_catalog.pg_database
    cross join aclexplode(pg_database.datacl) as acl
    where pg_database.datname = current_database() and acl.grantee <> pg_database.datdba
)

select format('revoke %s on %s %s from %I', grants.privilege, grants.object_kind, grants.object_name, pg_roles.rolname) as statement
from grants
inner join pg_catalog.pg_roles on pg_roles.oid = grants.grantee
where pg_roles.rolname = any(cast(:roles as text[]));

-- name: judgement
-- One row: whether what people decided and held can be counted; false where it was never installed or not whole.
select
    to_regclass('scout.v_decisions_in_force') is not null
    and to_regclass('scout.holds') is not null as is_there;

-- name: judgement_in_force
-- One row: what people decided and held that the rules would not do by themselves.
select
    (select count(*) from scout.v_decisions_in_force) as decisions,
    (select count(*) from scout.holds where holds.released_at is null) as holds;

-- name: source_timezone
-- One row: the zone that scout.source_timezone() gives now; null where it is not there.
-- Not called but read: it may be missing.
select (
    select trim(both '''' from substring(pg_get_function_sqlbody(pg_proc.oid) from 'RETURN ''([^'']*)'''))
    from pg_catalog.pg_proc
    where pg_proc.oid = to_regprocedure('scout.source_timezone()')
) as body;

-- name: function_bodies
-- One row per name of a function of ours: what its functions do.
select
    'scout.' || pg_proc.proname as function_name,
    string_agg(
        coalesce(pg_get_function_sqlbody(pg_proc.oid), pg_proc.prosrc), ' ' order by pg_proc.oid::regprocedure::text
    ) as bodies
from pg_catalog.pg_proc
where pg_proc.pronamespace = to_regnamespace('scout')
group by pg_proc.proname;

-- name: indexes_upon_timezone
-- One row per index whose values depend on the zone of the sources, with what computes them anew.
select format('reindex index %s', pg_index.indexrelid::regclass) as statement
from pg_catalog.pg_index
where strpos(pg_get_indexdef(pg_index.indexrelid), 'scout.source_timestamp') > 0
    or strpos(pg_get_indexdef(pg_index.indexrelid), 'scout.source_timezone') > 0;

-- name: row_estimate
-- One row per relation asked for; estimated_rows null = a view, or never analysed.
select
    wanted.relation_name,
    case when pg_class.relkind in ('r', 'm') and pg_class.reltuples >= 0 then pg_class.reltuples::bigint end as estimated_rows
from unnest(cast(:relation_names as text[])) as wanted (relation_name)
inner join pg_catalog.pg_class on pg_class.oid = to_regclass(wanted.relation_name);

-- name: last_runs
-- One row per run of ours among the newest, newest first.
select
    ingestion_runs.id as run_id,
    ingestion_runs.job_type::text as job_type,
    ingestion_runs.status::text as status,
    ingestion_runs.status = 'RUNNING' and scout.is_lost(ingestion_runs.job_type::text) as is_lost,
    ingestion_runs.error_message,
    extract(epoch from now() - ingestion_runs.started_at) / 60 as age_minutes
from ops.ingestion_runs
where ingestion_runs.job_type::text = any(cast(:job_types as text[]))
order by ingestion_runs.id desc
limit 200;

-- name: open_issues
-- One row per rule with data quality issues that are open.
select
    data_quality_issues.rule,
    count(*) as issue_count
from scout.data_quality_issues
where data_quality_issues.closed_at is null
group by data_quality_issues.rule
order by issue_count desc, data_quality_issues.rule;

-- name: facts
-- One row per fact of the installation.
select
    install_facts.name,
    install_facts.value
from scout.install_facts;

-- name: note_fact
-- Its name when the fact is new or another than before.
insert into scout.install_facts as f (name, value) values (:name, :value)
on conflict (name) do update set value = excluded.value where f.value <> excluded.value
returning f.name;

-- name: restored
-- One row: whether the fact written_in names another transaction than the one that wrote it, which a dump does not keep.
-- False before init has written it for the first time.
select coalesce(bool_or(install_facts.value <> install_facts.xmin::text), false) as is_restored
from scout.install_facts
where install_facts.name = 'written_in';

-- name: note_written_here
-- Its name when it was not written here. In no savepoint: that would be another transaction.
insert into scout.install_facts as f (name, value) values ('written_in', pg_current_xact_id()::xid::text)
on conflict (name) do update set value = excluded.value where f.value <> f.xmin::text
returning f.name;

-- name: loud_parameters
-- One row per role and parameter of the server's log that the role may not set, with what lets it.
select
    pg_roles.rolname::text as role_name,
    wanted.name,
    format('grant set on parameter %s to %I', wanted.name, pg_roles.rolname) as grant_statement
from unnest(cast(:names as text[])) as wanted (name)
inner join pg_catalog.pg_roles on pg_roles.rolname = any(cast(:roles as text[]))
where not has_parameter_privilege(pg_roles.oid, wanted.name, 'SET')
order by wanted.name, pg_roles.rolname;

-- name: granted_parameters
-- One row per parameter that a role was granted, with what takes it away.
select format('revoke %s on parameter %I from %I', acl.privilege_type, pg_parameter_acl.parname, pg_roles.rolname) as revoke_statement
from pg_catalog.pg_parameter_acl
cross join aclexplode(pg_parameter_acl.paracl) as acl
inner join pg_catalog.pg_roles on pg_roles.oid = acl.grantee
where pg_roles.rolname = any(cast(:roles as text[]));

-- name: server_log
-- One row per parameter of the server's log as it is in this transaction; value null = the server has no such one.
select
    asked.name,
    current_setting(asked.name, true) as value
from unnest(cast(:names as text[])) as asked (name);

-- name: column_types
-- One row per column of the relations asked for: its type, that beneath a domain; `enum` for every enum.
with recursive columns (relation_name, column_name, type_oid) as (
    select
        wanted.relation_name,
        pg_attribute.attname::text,
        pg_attribute.atttypid
    from unnest(cast(:relation_names as text[])) as wanted (relation_name)
    inner join pg_catalog.pg_attribute
        on pg_attribute.attrelid = to_regclass(wanted.relation_name)
            and pg_attribute.attnum > 0
            and not pg_attribute.attisdropped
    union all
    select
        columns.relation_name,
        columns.column_name,
        pg_type.typbasetype
    from columns
    inner join pg_catalog.pg_type on pg_type.oid = columns.type_oid
    where pg_type.typtype = 'd'
)

select
    columns.relation_name,
    columns.column_name,
    case pg_type.typtype when 'e' then 'enum' else format_type(columns.type_oid, null) end as type_name
from columns
inner join pg_catalog.pg_type on pg_type.oid = columns.type_oid
where pg_type.typtype <> 'd';
