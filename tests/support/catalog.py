"""What a database consists of, to compare before and after."""

from typing import Any

from sqlalchemy import Connection, text

_OUTSIDE = "not in ('pg_catalog', 'information_schema', 'pg_toast')"

# Meaning, not identity: what pg_dump would write. Privileges that equal the default count as none.
_DEFINITIONS = f"""
with relations as (
    select c.*, n.nspname, n.nspname || '.' || c.relname as full_name
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname {_OUTSIDE} and n.nspname not like 'pg_t%'
)
select 'schema ' || nspname as name, pg_get_userbyid(nspowner)::text || ' ' || coalesce((
    select string_agg(a::text, ',' order by a::text) from unnest(nspacl) as a
    where a::text not in (select d::text from unnest(acldefault('n', nspowner)) as d)), '')
    || coalesce(obj_description(oid, 'pg_namespace'), '') as value
from pg_namespace where nspname {_OUTSIDE} and nspname not like 'pg_t%'
union all
select 'relation ' || full_name,
    relkind::text || ' ' || pg_get_userbyid(relowner)::text || ' ' || coalesce((
    select string_agg(a::text, ',' order by a::text) from unnest(relacl) as a
    where a::text not in (select d::text from unnest(
        acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)) as d)), '')
    || coalesce(obj_description(oid, 'pg_class'), '')
    || case when relkind in ('v', 'm') then pg_get_viewdef(oid) else '' end
from relations
union all
select 'column ' || r.full_name || '.' || a.attname,
    format_type(a.atttypid, a.atttypmod) || a.attnotnull::text || a.attidentity::text
    || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    || coalesce((select string_agg(x::text, ',' order by x::text) from unnest(a.attacl) as x), '')
    || coalesce(col_description(r.oid, a.attnum), '')
from relations as r
join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef as d on d.adrelid = r.oid and d.adnum = a.attnum
where r.relkind not in ('i', 'S')
union all
select 'index ' || i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) || i.indisvalid::text
from pg_index as i join relations as r on r.oid = i.indrelid
union all
select 'constraint ' || r.full_name || '.' || k.conname, pg_get_constraintdef(k.oid)
from pg_constraint as k join relations as r on r.oid = k.conrelid
union all
select 'trigger ' || r.full_name || '.' || t.tgname, pg_get_triggerdef(t.oid) || t.tgenabled::text
from pg_trigger as t join relations as r on r.oid = t.tgrelid where not t.tgisinternal
union all
select 'function ' || p.oid::regprocedure::text,
    pg_get_userbyid(p.proowner)::text || coalesce(p.prosrc, '') || p.prosecdef::text
    || coalesce(p.proconfig::text, '') || coalesce(obj_description(p.oid, 'pg_proc'), '')
from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
where n.nspname {_OUTSIDE} and p.prokind <> 'a'
union all
select 'label ' || e.enumtypid::regtype::text || '.' || e.enumlabel, e.enumsortorder::text
from pg_enum as e
union all
select 'database', coalesce((
    select string_agg(a::text, ',' order by a::text) from unnest(datacl) as a
    where a::text not in (select d::text from unnest(acldefault('d', datdba)) as d)), '')
from pg_database where datname = current_database()
"""

# Identity: every row of the catalogs with the transaction that wrote it.
_ROWS = " union all ".join(
    f"select '{catalog} ' || ({key})::text as name, xmin::text as value from {catalog}"
    for catalog, key in (
        ("pg_class", "oid"),
        ("pg_proc", "oid"),
        ("pg_namespace", "oid"),
        ("pg_type", "oid"),
        ("pg_trigger", "oid"),
        ("pg_rewrite", "oid"),
        ("pg_constraint", "oid"),
        ("pg_enum", "oid"),
        ("pg_index", "indexrelid"),
        ("pg_attribute", "row(attrelid, attnum)"),
        ("pg_description", "row(classoid, objoid, objsubid)"),
        ("scout.schema_files", "version"),
        ("scout.installed_objects", "row(kind, name)"),
        ("scout.install_facts", "name"),
    )
)


def definitions(conn: Connection) -> dict[str, str]:
    """Each object outside the system schemas, and what it is."""
    return _as_dict(conn, _DEFINITIONS)


def rows(conn: Connection) -> dict[str, str]:
    """Each row of the catalogs and of the installation's notes, and who wrote it."""
    return _as_dict(conn, _ROWS)


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What is not the same, as (before, after)."""
    names = before.keys() | after.keys()
    pairs = {name: (before.get(name), after.get(name)) for name in sorted(names)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _as_dict(conn: Connection, query: str) -> dict[str, str]:
    conn.exec_driver_sql("set local search_path = ''")
    return {row.name: row.value for row in conn.execute(text(query))}
