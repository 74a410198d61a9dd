-- Every seal says what its audit rows say today, and follows the seal before it (I13)
select
    s.seal_no,
    s.run_id,
    case
        when d.row_count <> s.row_count or d.content_hash <> s.content_hash then 'audit rows changed'
        when s.seal_hash <> scout.seal_hash(s.run_id, s.row_count, s.content_hash, s.previous_hash) then 'seal changed'
        else 'chain broken'
    end as problem,
    s.row_count as sealed_rows,
    d.row_count as found_rows
from (
    select
        k.seal_no,
        k.run_id,
        k.row_count,
        k.covered_run_ids,
        k.external_audit_ids,
        k.content_hash,
        k.previous_hash,
        k.seal_hash,
        coalesce(lag(k.seal_hash) over (order by k.seal_no), '') as hash_before
    from scout.seals as k
) as s
cross join lateral scout.audit_content(s.covered_run_ids, s.external_audit_ids) as d
where d.row_count <> s.row_count
    or d.content_hash <> s.content_hash
    or s.previous_hash <> s.hash_before
    or s.seal_hash <> scout.seal_hash(s.run_id, s.row_count, s.content_hash, s.previous_hash);
