-- One row per source whose changes cannot all be noted by triggers, and why: it is no table, rows of it are written in
-- partitions or children, or a subscription writes them. Everything is then settled anew by each run.
create or replace view scout.v_untracked_sources as
select
    s.source_name,
    case
        when c.relkind = 'v' then 'VIEW'
        when c.relkind = 'm' then 'MATERIALIZED_VIEW'
        when c.relkind = 'f' then 'FOREIGN_TABLE'
        when c.relkind = 'p' then 'PARTITIONED'
        when exists (select from pg_inherits as i where i.inhparent = c.oid) then 'INHERITED'
        when exists (select from pg_inherits as i where i.inhrelid = c.oid) then 'CHILD'
        when exists (select from pg_subscription_rel as r where r.srrelid = c.oid) then 'SUBSCRIBED'
    end as why
from scout.installed_sources as s
-- not by to_regclass, which fails without the right to use the schema
inner join pg_namespace as n on n.nspname = split_part(s.source_name, '.', 1)
inner join pg_class as c on c.relnamespace = n.oid and c.relname = split_part(s.source_name, '.', 2)
where s.is_used
    and s.is_tracked
    and (
        c.relkind <> 'r'
        or exists (select from pg_inherits as i where c.oid in (i.inhparent, i.inhrelid))
        or exists (select from pg_subscription_rel as r where r.srrelid = c.oid)
    );
comment on column scout.v_untracked_sources.why is 'VIEW, MATERIALIZED_VIEW, FOREIGN_TABLE, PARTITIONED, INHERITED (has children), CHILD (of another table, or a partition) or SUBSCRIBED (logical replication).';
