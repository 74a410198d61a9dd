-- The chain of seals as verify reads it. The rows themselves come from the text of scout.v_sealed_rows and
-- scout.v_sealed_rows_1 in their files, put before these as `sealed`.

-- name: canonical_text
-- the settings under which a row has the text that was hashed
select
    set_config('TimeZone', 'UTC', true),
    set_config('DateStyle', 'ISO, YMD', true),
    set_config('IntervalStyle', 'postgres', true),
    set_config('extra_float_digits', '1', true),
    set_config('bytea_output', 'hex', true);

-- name: list_seals
select
    s.seal_no,
    s.form_no,
    s.run_id,
    s.row_count,
    s.covered_run_ids,
    array(select t.key from jsonb_each(c.of_tables) as t) as covered_tables,
    array(
        select case jsonb_typeof(t.value) when 'array' then jsonb_array_length(t.value) else -1 end
        from jsonb_each(c.of_tables) as t
    ) as covered_counts,
    s.content_hash,
    s.previous_hash,
    s.seal_hash,
    row(
        s.seal_no, s.form_no, s.run_id, s.row_count, s.covered_run_ids, s.external_audit_ids, s.covered_rows,
        s.content_hash, s.previous_hash, s.sealed_at
    )::text as seal_text
from scout.seals as s
-- guarded, so that what somebody else wrote there is a seal that does not hold, and no error
cross join lateral (
    select case jsonb_typeof(s.covered_rows) when 'object' then s.covered_rows else '{}' end as of_tables
) as c
order by s.seal_no;

-- name: rows_of_runs
select
    r.run_id as part,
    r.row_text
from sealed as r
where r.table_name = :table_name
    and r.run_id in (
        select u.run_id
        from scout.seals as s
        cross join lateral unnest(s.covered_run_ids) as u (run_id)
        where s.form_no = 2
    )
order by r.run_id, r.id;

-- name: rows_by_number
select
    s.seal_no as part,
    r.row_text
from scout.seals as s
cross join lateral jsonb_array_elements(
    case jsonb_typeof(s.covered_rows -> :table_name) when 'array' then s.covered_rows -> :table_name else '[]' end
) as x (id)
inner join sealed as r on r.table_name = :table_name
    and r.id = case jsonb_typeof(x.id) when 'number' then x.id::bigint end
order by s.seal_no, r.id;

-- name: rows_of_runs_1
-- of seals of form 1 over one run and nothing else
select
    s.seal_no as part,
    r.row_text
from scout.seals as s
inner join sealed as r on r.run_id = s.covered_run_ids[1]
where r.table_name = :table_name
    and s.form_no = 1
    and cardinality(s.covered_run_ids) = 1
    and s.external_audit_ids = '{}'
order by s.seal_no, r.id;

-- name: list_wider_1
-- seals of form 1 over several runs, or over what others wrote
select s.seal_no
from scout.seals as s
where s.form_no = 1 and (cardinality(s.covered_run_ids) <> 1 or s.external_audit_ids <> '{}')
order by s.seal_no;

-- name: rows_of_seal_1
select
    k.seal_no as part,
    k.row_text
from (
    select
        s.seal_no,
        r.id,
        r.row_text
    from scout.seals as s
    inner join sealed as r on r.run_id = any(s.covered_run_ids)
    where r.table_name = :table_name and s.seal_no = :seal_no
    union all
    select
        s.seal_no,
        r.id,
        r.row_text
    from scout.seals as s
    inner join sealed as r on r.id = any(s.external_audit_ids)
    where :table_name = 'lead_ledger_scout_backfill_audit'
        and r.table_name = :table_name
        and r.run_id is null
        and s.seal_no = :seal_no
) as k
order by k.id;

-- name: as_text
-- the rows of one of these, in its order, as they come
select
    l.part,
    l.row_text
from listed as l;

-- name: as_bytes
select
    l.part,
    convert_to(l.row_text, 'SQL_ASCII') as row_text
from listed as l;

-- name: place_of
select
    s.seal_no,
    s.run_id,
    count(n.seal_no) as newer_seals,
    count(distinct n.run_id) filter (where n.run_id <> s.run_id) as newer_runs
from scout.seals as s
left join scout.seals as n on n.seal_no > s.seal_no
where s.seal_hash = :seal_hash
group by s.seal_no, s.run_id;
