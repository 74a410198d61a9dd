-- name: list_arrivals
select
    a.source_table,
    a.on_date,
    a.row_count,
    a.newest_at
from scout.v_source_arrivals as a
order by a.source_table, a.on_date;

-- name: count_persons
select
    b.source_table,
    count(*) as person_count
from ops.v_scout_attribution as b
group by b.source_table;
