-- One row: open issues, by rule.
select
    coalesce(sum(r.issue_count), 0)::bigint as issue_count,
    coalesce(jsonb_object_agg(r.rule, r.issue_count), '{}') as by_rule
from (
    select
        q.rule,
        count(*) as issue_count
    from scout.data_quality_issues as q
    where q.closed_at is null
    group by q.rule
) as r;
