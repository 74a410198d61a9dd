-- Header numbers are the lengths of the lists that they open, and A + C + D = missing (I12)
with lists as (
    select
        (select count(*) from ops.v_persons_without_scout_categorized) as missing_count,
        (select count(*) from ops.v_persons_without_scout_categorized as b where b.category = 'A') as a_count,
        (select count(*) from ops.v_persons_without_scout_categorized as b where b.category = 'C') as c_count,
        (select count(*) from ops.v_persons_without_scout_categorized as b where b.category = 'D') as d_count,
        (select count(*) from ops.v_scout_attribution_conflicts) as conflicts_count,
        (select count(*) from canon.identity_registry) as person_count,
        (
            select count(*) from observational.lead_ledger as l
            where l.attributed_scout_id is not null
        ) as satisfactory_count
)

select
    n.number_name,
    n.in_header,
    n.in_list
from ops.v_scout_attribution_metrics_snapshot as s
cross join lists as l
cross join lateral (
    values
    ('persons missing a scout', s.persons_missing_scout, l.missing_count),
    ('backlog A', s.backlog_a_events_without_scout, l.a_count),
    ('backlog C', s.backlog_c_legacy_no_events_no_ledger, l.c_count),
    ('backlog D', s.backlog_d_scout_in_events_not_in_ledger, l.d_count),
    ('A + C + D', s.persons_missing_scout, l.a_count + l.c_count + l.d_count),
    ('open conflicts', s.conflicts_count, l.conflicts_count),
    ('persons', s.total_persons, l.person_count),
    ('satisfactory', s.persons_with_scout_satisfactory, l.satisfactory_count)
) as n (number_name, in_header, in_list)
where n.in_header <> n.in_list;
