-- A source brought less than half of its usual rows on the last whole day that counts.
-- severity: WARN
-- One row per source. Which are so is judged as in the freshness of the sources: holidays and days that are
-- always quiet do not count.
select
    j.source_table,
    j.on_date::text as source_pk,
    null::uuid as person_key,
    'rows=' || j.row_count || '; usual=' || j.usual as detail,
    j.on_date
from jsonb_to_recordset(cast(:drops as jsonb)) as j (source_table text, on_date date, row_count bigint, usual text);
