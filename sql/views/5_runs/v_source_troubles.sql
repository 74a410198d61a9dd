-- One row per source that is not what the last init found, and what is wrong: what every run, init, doctor, health and
-- pages go by. A view of ours is bound to a relation and not to its name, so another relation that takes the name is
-- not read until init has made the view anew.
create or replace view scout.v_source_troubles as
with relations as materialized (
    -- not by to_regclass, which fails without the right to use the schema
    select
        s.source_name,
        max(c.oid) as relation_oid
    from scout.installed_sources as s
    left join pg_namespace as m on m.nspname = split_part(s.source_name, '.', 1)
    left join pg_class as c on c.relnamespace = m.oid and c.relname = split_part(s.source_name, '.', 2)
    group by s.source_name
),

-- views of ours that do not read it any more
misled as materialized (
    select
        v.source_name,
        w.oid as rule_oid
    from scout.source_views as v
    inner join relations as n on n.source_name = v.source_name
    inner join pg_rewrite as w on w.ev_class = to_regclass(v.view_name)
    where not exists (
        select from pg_depend as r
        where r.classid = 'pg_rewrite'::regclass and r.objid = w.oid and r.refclassid = 'pg_class'::regclass
            and r.refobjid = n.relation_oid
    )
)

select
    s.source_name,
    case
        when s.is_used and n.relation_oid is null then 'GONE'
        when s.is_used and b.reads is not null then 'OTHER_RELATION'
        when s.is_used and k.column_names is not null then 'OTHER_COLUMN'
        when s.is_used then 'LACKS_COLUMN'
        else 'APPEARED'
    end as trouble,
    case
        when s.is_used and (n.relation_oid is null or b.reads is not null) then b.reads
        when s.is_used then coalesce(k.column_names, l.column_names)
    end as detail,
    -- one that counts as empty after init does no harm meanwhile
    s.is_mandatory or not s.is_used or n.relation_oid is null or b.reads is not null or k.column_names is not null as stops_runs
from scout.installed_sources as s
inner join relations as n on n.source_name = s.source_name
left join lateral (
    -- what views of ours read in its place
    select string_agg(distinct o.refobjid::regclass::text, ', ') as reads
    from misled as v
    cross join lateral (
        -- fenced, so that only they are looked through
        select d.refobjid from pg_depend as d
        where d.classid = 'pg_rewrite'::regclass and d.objid = v.rule_oid and d.refclassid = 'pg_class'::regclass
            and d.refobjid > 16383
        offset 0
    ) as o
    where v.source_name = s.source_name
        and o.refobjid::regclass::text not in (select k.source_name from scout.installed_sources as k)
        and o.refobjid::regclass::text not in (
            select i.name from scout.installed_objects as i
            where i.kind = 'view'
        )
        and o.refobjid::regclass::text not like 'scout.%'
) as b on s.is_used
left join lateral (
    select string_agg(c.column_name, ', ' order by c.place) as column_names
    from unnest(s.columns) with ordinality as c (column_name, place)
    where not exists (
        select from pg_attribute as a
        where a.attrelid = n.relation_oid and a.attname = c.column_name and a.attnum > 0 and not a.attisdropped
    )
) as l on n.relation_oid is not null
left join lateral (
    -- our views read a column by its number: one that took the name is not read
    select string_agg(c.column_name, ', ' order by c.place) as column_names
    from unnest(s.columns, s.column_numbers) with ordinality as c (column_name, attnum, place)
    inner join pg_attribute as a on a.attrelid = n.relation_oid and a.attname = c.column_name and not a.attisdropped
    where a.attnum <> c.attnum
) as k on s.is_used
where
    case
        when s.is_used
            then n.relation_oid is null or b.reads is not null or k.column_names is not null or l.column_names is not null
        -- one that the login may not read is no news
        else n.relation_oid is not null and l.column_names is null and s.lack is distinct from 'the login may not read it'
    end
union all
-- as after `drop table ... cascade`
select
    'schema scout' as source_name,
    'VIEWS_GONE' as trouble,
    count(*)::text as detail,
    true as stops_runs
from scout.installed_objects as i
where i.kind = 'view' and to_regclass(i.name) is null
having count(*) > 0;
comment on column scout.v_source_troubles.trouble is
'GONE (no relation of that name), OTHER_RELATION (our views read another one), OTHER_COLUMN (another column has the name), LACKS_COLUMN (renamed or dropped; our views still read it), APPEARED (was not there at the last init), VIEWS_GONE (dropped along with a table).';
comment on column scout.v_source_troubles.detail is
'The relations that are read instead, the columns that are lacking, or how many views are gone; null where there is nothing to name.';
comment on column scout.v_source_troubles.stops_runs is 'No run goes on before init has made the views anew, or a column that we cannot do without has its name back.';
