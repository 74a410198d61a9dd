-- The payload of an event is no object, too large to be searched, or has a key that only looks like scout_id.
-- severity: WARN
-- alert: one for each value, as the issues that the refresh keeps
-- One row per event; the issues are those of the last refresh.
select
    q.source_table,
    q.source_pk,
    (array_agg(q.person_key order by q.person_key))[1] as person_key,
    'rule=' || string_agg(distinct q.rule, ' · ' order by q.rule) as detail,
    scout.lima_date(min(q.first_seen_at)) as on_date
from scout.data_quality_issues as q
where q.closed_at is null and q.rule in ('PAYLOAD_SHAPE', 'PAYLOAD_TOO_LARGE', 'SIMILAR_KEY')
group by q.source_table, q.source_pk;
