-- One row per source: its rows by day, counted anew; nothing is counted when that was done within the pause.
insert into scout.source_arrivals as s (source_table, newest_at, rows_of_day, looked_at)
select
    n.source_table,
    max(a.newest_at),
    coalesce(jsonb_object_agg(a.on_date, a.row_count) filter (where a.on_date is not null), '{}'),
    :now
from unnest(cast(:names as text[])) as n (source_table)
left join scout.v_source_arrivals as a
    on a.source_table = n.source_table
where not exists (
    select
    from scout.source_arrivals as l
    -- a time to come is one of a clock that was set back
    where l.looked_at > cast(:now as timestamptz) - cast(:pause as interval) and l.looked_at <= :now
)
group by n.source_table
on conflict (source_table) do update
    set
        newest_at = excluded.newest_at,
        rows_of_day = excluded.rows_of_day,
        looked_at = excluded.looked_at;
