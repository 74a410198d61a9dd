-- One row per table or view that the job must never write: whatever is named after Yango, claims, payments
-- or the liquidation, wherever it is, except our own reports.
create or replace view scout.v_guarded_tables as
select
    c.oid as table_oid,
    n.nspname || '.' || c.relname as table_name
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
    and n.nspname not in ('pg_catalog', 'information_schema', 'scout')
    and n.nspname !~ '^pg_(toast|temp)'
    and c.relname ~* '(yango|claim|payment|liquidation)'
    and n.nspname || '.' || c.relname not in ('ops.v_yango_collection_with_scout', 'ops.v_scout_payment_base');
