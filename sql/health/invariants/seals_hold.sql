-- Every seal says what its rows say today, and follows the seal before it (I13)
-- verify reckons the same in Python (scout_core/runs/chain.py), for which functions of the database are no proof.
with covered_runs as (
    select
        s.seal_no,
        u.run_id
    from scout.seals as s
    cross join lateral unnest(s.covered_run_ids) as u (run_id)
    where s.form_no = 2
),

parts as (
    select
        r.seal_no,
        c.row_count,
        false as is_missing_rows,
        1 as part_order,
        r.run_id,
        null as table_name,
        concat_ws('|', 'run', r.run_id, c.content_hash) as line
    from covered_runs as r
    left join scout.run_contents((select array_agg(distinct w.run_id) from covered_runs as w)) as c on c.run_id = r.run_id
    union all
    select
        t.seal_no,
        c.row_count,
        c.row_count <> t.id_count,
        2,
        null,
        t.table_name,
        concat_ws('|', 'rows', t.table_name, c.row_count, c.content_hash)
    from (
        select
            i.seal_no,
            i.table_name,
            count(*) as id_count,
            array_agg(i.id) as ids
        from scout.v_sealed_ids as i
        inner join scout.seals as s on s.seal_no = i.seal_no
        where s.form_no = 2
        group by i.seal_no, i.table_name
    ) as t
    cross join lateral scout.row_contents(t.table_name, t.ids) as c
),

contents as (
    select
        p.seal_no,
        coalesce(sum(p.row_count), 0) as row_count,
        bool_or(p.is_missing_rows) as is_missing_rows,
        encode(sha256(convert_to(
            string_agg(p.line, e'\n' order by p.part_order, p.run_id, p.table_name collate "C"), 'UTF8'
        )), 'hex') as content_hash
    from parts as p
    group by p.seal_no
),

seals_now as (
    select
        s.seal_no,
        c.row_count,
        c.is_missing_rows,
        c.content_hash,
        encode(sha256(scout.utf8_bytes(scout.seal_text(s))), 'hex') as seal_hash
    from scout.seals as s
    left join contents as c on c.seal_no = s.seal_no
    where s.form_no = 2
    union all
    select
        s.seal_no,
        c.row_count,
        false,
        c.content_hash,
        scout.seal_hash(s.run_id, s.row_count, s.content_hash, s.previous_hash)
    from scout.seals as s
    cross join lateral scout.audit_content(s.covered_run_ids, s.external_audit_ids) as c
    where s.form_no = 1
),

chain as (
    select
        s.seal_no,
        s.run_id,
        s.form_no,
        s.row_count,
        s.content_hash,
        s.previous_hash,
        s.seal_hash,
        coalesce(lag(s.seal_hash) over (order by s.seal_no), '') as hash_before,
        lag(s.form_no) over (order by s.seal_no) as form_before
    from scout.seals as s
)

select
    f.seal_no,
    f.run_id,
    f.problem,
    f.sealed_rows,
    f.found_rows
from (
    select
        k.seal_no,
        k.run_id,
        case
            when n.seal_no is null or k.form_no < k.form_before then 'form that no version wrote'
            when n.is_missing_rows or n.row_count <> k.row_count
                or coalesce(n.content_hash, '') <> k.content_hash
                then 'sealed rows changed'
            when n.seal_hash <> k.seal_hash then 'seal changed'
            when k.previous_hash <> k.hash_before then 'chain broken'
        end as problem,
        k.row_count as sealed_rows,
        n.row_count as found_rows
    from chain as k
    left join seals_now as n on n.seal_no = k.seal_no
) as f
where f.problem is not null
order by f.seal_no;
