-- One row per row that a seal covers by its own number, not with its run.
create or replace view scout.v_sealed_ids as
select
    s.seal_no,
    'ops.lead_ledger_scout_backfill_audit' as table_name,
    x.id
from scout.seals as s
cross join lateral unnest(s.external_audit_ids) as x (id)
union all
select
    s.seal_no,
    t.table_name,
    x.id::bigint
from scout.seals as s
-- guarded, so that what somebody else wrote there is a seal that does not hold, and no error
cross join lateral jsonb_each(case jsonb_typeof(s.covered_rows) when 'object' then s.covered_rows else '{}' end) as t (
    table_name, ids
)
cross join lateral jsonb_array_elements(case jsonb_typeof(t.ids) when 'array' then t.ids else '[]' end) as x (id)
where jsonb_typeof(x.id) = 'number';
