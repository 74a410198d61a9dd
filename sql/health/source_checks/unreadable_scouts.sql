-- A row names a scout that cannot be read, so that its person is held back.
-- severity: WARN
-- alert: one for each value, as the issues that the refresh keeps
-- One row per source row; the issues are those of the last refresh.
select
    q.source_table,
    q.source_pk,
    (array_agg(q.person_key order by q.person_key))[1] as person_key,
    'value=' || string_agg(distinct q.raw_excerpt, ' · ' order by q.raw_excerpt) as detail,
    scout.lima_date(min(q.first_seen_at)) as on_date
from scout.data_quality_issues as q
where q.closed_at is null and q.rule = 'UNREADABLE_SCOUT'
group by q.source_table, q.source_pk;
