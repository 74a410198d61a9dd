-- What of ours there is in a database, one text for each object, as PostgreSQL 15 to 18 print it alike. A fresh
-- installation gives sql/manifest.json; verify compares. Under search_path = pg_catalog, which names schemas in full.

-- name: of_ours
-- body: hashed, or a short expression
with ours as (
    select
        c.oid,
        c.relkind,
        c.relpersistence,
        c.relrowsecurity or c.relforcerowsecurity as has_row_security,
        c.reloptions,
        format('%s.%s', n.nspname, c.relname) as name
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = 'scout' or format('%s.%s', n.nspname, c.relname) = any(cast(:relations_of_ops as text[]))
),

columns_of_ours as (
    select
        o.oid,
        o.name,
        a.attname,
        a.attnum,
        row_number() over (partition by o.oid order by a.attnum) as place,
        format_type(a.atttypid, a.atttypmod) as type_name,
        a.attnotnull,
        a.attidentity,
        a.attgenerated
    from ours as o
    inner join pg_attribute as a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
    where o.relkind in ('r', 'p')
)

select
    'function ' || p.oid::regprocedure::text as name,
    concat_ws(
        ' ', l.lanname, 'kind ' || p.prokind::text, 'volatile ' || p.provolatile::text, 'parallel ' || p.proparallel::text,
        case when p.prosecdef then 'definer' end, case when p.proisstrict then 'strict' end,
        case when p.proleakproof then 'leakproof' end,
        'takes (' || pg_get_function_arguments(p.oid) || ')', 'returns ' || pg_get_function_result(p.oid),
        'set ' || array_to_string(p.proconfig, ', ')
    ) as facts,
    coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) as body,
    pg_get_function_sqlbody(p.oid) is null as is_long
from pg_proc as p
inner join pg_language as l on l.oid = p.prolang
where p.pronamespace = to_regnamespace('scout')
union all
select
    'relation ' || o.name,
    concat_ws(
        ' ', 'kind ' || o.relkind::text, 'persistence ' || o.relpersistence::text,
        case when o.has_row_security then 'row security' end,
        case when o.relkind = 'v' then 'with ' || array_to_string(o.reloptions, ', ') end
    ),
    null,
    false
from ours as o
where o.relkind in ('r', 'p', 'v', 'm', 'f', 'c', 'S')
    and not exists (
        select from pg_depend as d
        where d.classid = 'pg_class'::regclass and d.objid = o.oid and d.deptype = 'i'
            and d.refclassid = 'pg_class'::regclass
    )
union all
select
    'column ' || c.name || '.' || c.attname,
    concat_ws(
        ' ', c.place, c.type_name, case when c.attnotnull then 'not null' end, 'identity ' || nullif(c.attidentity::text, ''),
        'generated ' || nullif(c.attgenerated::text, ''), 'default ' || pg_get_expr(f.adbin, f.adrelid)
    ),
    null,
    false
from columns_of_ours as c
left join pg_attrdef as f on f.adrelid = c.oid and f.adnum = c.attnum
union all
select
    'constraint ' || o.name || '.' || k.conname,
    concat_ws(' ', pg_get_constraintdef(k.oid), case when not k.convalidated then 'not valid' end),
    null,
    false
from pg_constraint as k
inner join ours as o on o.oid = k.conrelid
-- that a column is not null is said there
where k.contype not in ('n', 't')
union all
-- a plain index that somebody added is no harm
select
    'index ' || o.name || '.' || x.relname,
    concat_ws(' ', pg_get_indexdef(i.indexrelid), case when not i.indisvalid then 'invalid' end),
    null,
    false
from pg_index as i
inner join ours as o on o.oid = i.indrelid
inner join pg_class as x on x.oid = i.indexrelid
where o.relkind in ('r', 'p', 'm')
    and (
        cast(:known_names as text[]) is null
        or i.indexprs is not null or i.indpred is not null or i.indisunique
        or 'index ' || o.name || '.' || x.relname = any(cast(:known_names as text[]))
    )
union all
select
    'trigger ' || format('%s.%s', n.nspname, c.relname) || '.' || t.tgname,
    concat_ws(' ', 'enabled ' || t.tgenabled::text, pg_get_triggerdef(t.oid)),
    null,
    false
from pg_trigger as t
inner join pg_class as c on c.oid = t.tgrelid
inner join pg_namespace as n on n.oid = c.relnamespace
inner join pg_proc as p on p.oid = t.tgfoid
where not t.tgisinternal
    and (p.pronamespace = to_regnamespace('scout') or exists (select from ours as o where o.oid = t.tgrelid))
union all
select
    'type ' || t.oid::regtype::text,
    'kind ' || t.typtype::text,
    null,
    false
from pg_type as t
where t.typnamespace = to_regnamespace('scout') and t.typtype in ('d', 'e', 'r', 'm');

-- name: of_others
-- What should not be there, each with what it is: nothing of it belongs to any installation.
with ours as (
    select
        c.oid,
        c.relkind,
        c.relowner,
        format('%s.%s', n.nspname, c.relname) as name
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f')
        and (n.nspname = 'scout' or format('%s.%s', n.nspname, c.relname) = any(cast(:relations_of_ops as text[])))
),

owner_of_ours as (
    select n.nspowner as oid
    from pg_namespace as n
    where n.nspname = 'scout'
)

select
    'rule ' || o.name || '.' || w.rulename as name,
    'a rule on a relation of ours' as problem
from pg_rewrite as w
inner join ours as o on o.oid = w.ev_class
where w.rulename <> '_RETURN'
union all
select
    'policy ' || o.name || '.' || y.polname,
    'a row security policy on a table of ours'
from pg_policy as y
inner join ours as o on o.oid = y.polrelid
union all
select
    'child ' || h.inhrelid::regclass::text,
    'inherits from or is attached to ' || h.inhparent::regclass::text
from pg_inherits as h
inner join ours as o on o.oid in (h.inhparent, h.inhrelid)
union all
select
    'trigger ' || o.name || '.' || t.tgname,
    'a trigger of a foreign key that is off'
from pg_trigger as t
inner join ours as o on o.oid = t.tgrelid
where t.tgisinternal and t.tgenabled <> 'O'
union all
select
    pg_describe_object(d.classid, d.objid, 0),
    'stands in schema scout and is none of the product''s kinds'
from pg_depend as d
where d.refclassid = 'pg_namespace'::regclass
    and d.refobjid = to_regnamespace('scout')
    and d.deptype = 'n'
    and d.classid not in (
        'pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_statistic_ext'::regclass,
        'pg_default_acl'::regclass
    )
union all
select
    'owner of ' || x.name,
    'belongs to ' || pg_get_userbyid(x.owner) || ', not to ' || pg_get_userbyid(w.oid)
from (
    select
        o.name,
        o.relowner
    from ours as o
    union all
    select
        p.oid::regprocedure::text,
        p.proowner
    from pg_proc as p
    where p.pronamespace = to_regnamespace('scout')
) as x (name, owner)
cross join owner_of_ours as w
where x.owner <> w.oid
union all
select
    'owner of schema scout',
    'belongs to ' || pg_get_userbyid(w.oid) || ' although scout_writer may use it'
from owner_of_ours as w
inner join pg_roles as r on r.rolname = 'scout_writer'
where pg_get_userbyid(w.oid) <> 'scout_owner' and has_schema_privilege(r.oid, 'scout', 'usage')
union all
select
    'right of ' || case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee)::text end,
    lower(a.privilege_type) || ' on ' || o.name || ', which only grows'
from ours as o
inner join pg_class as c on c.oid = o.oid
cross join lateral aclexplode(c.relacl) as a
where o.name = any(cast(:append_only as text[]))
    and a.grantee <> c.relowner
    and a.privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
union all
select
    'event trigger ' || e.evtname,
    'runs ' || e.evtfoid::regprocedure::text || ' with every ' || e.evtevent
    || '; if it is yours, name it in SCOUT_KNOWN_EVENT_TRIGGERS'
from pg_event_trigger as e
where e.evtenabled <> 'D'
    and e.evtname <> all(cast(:known_event_triggers as text[]))
    and not exists (
        select from pg_depend as d
        where d.deptype = 'e'
            and (
                (d.classid = 'pg_event_trigger'::regclass and d.objid = e.oid)
                or (d.classid = 'pg_proc'::regclass and d.objid = e.evtfoid)
            )
    )
union all
select
    'setting ' || s.setting,
    'of ' || coalesce('role ' || r.rolname, 'every role')
    || coalesce(' in database ' || d.datname, '') || ': triggers of the change tracking do not fire'
from (
    select
        x.setdatabase,
        x.setrole,
        unnest(x.setconfig) as setting
    from pg_db_role_setting as x
) as s
left join pg_roles as r on r.oid = s.setrole
left join pg_database as d on d.oid = s.setdatabase
where s.setting ~* '^session_replication_role=(?!origin$)' and (d.datname is null or d.datname = current_database())
union all
select
    'setting session_replication_role',
    'is ' || g.reset_val || ' in new sessions: triggers of the change tracking do not fire'
from pg_settings as g
where g.name = 'session_replication_role' and g.reset_val <> 'origin'
union all
select
    'function ' || p.oid::regprocedure::text,
    'stands beside a function of PostgreSQL of the same name in pg_catalog'
from pg_proc as p
where p.pronamespace = 'pg_catalog'::regnamespace
    and p.oid >= 16384
    and exists (
        select from pg_proc as b
        where b.pronamespace = p.pronamespace and b.proname = p.proname and b.oid < 16384
    )
    and not exists (
        select from pg_depend as d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    );

-- name: tables_of_the_owner
-- One row per relation asked for that is there: whether the login could have made a trigger on it; a view takes none.
select
    c.oid::regclass::text as name,
    has_table_privilege(session_user, c.oid, 'trigger') and c.relkind in ('r', 'p') as may_have_triggers
from unnest(cast(:names as text[])) as w (name)
inner join pg_class as c on c.oid = to_regclass(w.name);

-- name: schema_files
select
    f.name,
    f.checksum
from scout.schema_files as f;

-- name: installed_zone
select f.value
from scout.install_facts as f
where f.name = 'source_timezone';

-- name: probed_views
-- One row per view that is there: whether it is what its file makes of it, in this database and now.
select
    w.name,
    pg_get_viewdef(to_regclass(w.name)) = pg_get_viewdef(to_regclass(w.probe))
    and (
        select array_agg(row(a.attname, a.atttypid, a.atttypmod)::text order by a.attnum)
        from pg_attribute as a
        where a.attrelid = to_regclass(w.name) and a.attnum > 0
    ) = (
        select array_agg(row(a.attname, a.atttypid, a.atttypmod)::text order by a.attnum)
        from pg_attribute as a
        where a.attrelid = to_regclass(w.probe) and a.attnum > 0
    ) as is_alike
from unnest(cast(:names as text[]), cast(:probes as text[])) as w (name, probe)
where to_regclass(w.name) is not null;
