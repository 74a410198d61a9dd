-- A row has a date from before the fleet began (SCOUT_QUALITY_FIRST_DAY), as an empty date of a spreadsheet reads.
-- severity: WARN
-- One row per source row; on_date is the date that stands furthest off.
select
    d.source_table,
    d.source_pk,
    (array_agg(d.person_key))[1] as person_key,
    'column=' || string_agg(d.column_name, ' · ' order by d.column_name) as detail,
    min(d.on_date) as on_date
from scout.v_source_dates as d
where d.on_date < cast(:first_day as date)
group by d.source_table, d.source_pk;
