-- One row per bad value among the source rows that a run has to look at: those touched since the last one, or
-- all. Each arm looks a row up by the key that an index has.
create or replace view scout.v_issues_to_record as
select
    i.rule,
    i.source_table,
    i.source_pk,
    i.person_key,
    i.raw_value
from scout.v_source_issues as i
where exists (select from scout.rows_to_check as c where c.source_table = '*')
union all
select
    i.rule,
    i.source_table,
    i.source_pk,
    i.person_key,
    i.raw_value
from scout.v_rows_to_check as c
cross join lateral (
    select
        v.rule,
        v.source_table,
        v.source_pk,
        v.person_key,
        v.raw_value
    from scout.v_source_issues as v
    where v.source_table = c.source_table and v.row_id = c.row_id
    offset 0
) as i
where c.row_id is not null
    and not exists (select from scout.rows_to_check as a where a.source_table = '*')
union all
select
    i.rule,
    i.source_table,
    i.source_pk,
    i.person_key,
    i.raw_value
from scout.v_rows_to_check as c
cross join lateral (
    select
        v.rule,
        v.source_table,
        v.source_pk,
        v.person_key,
        v.raw_value
    from scout.v_source_issues as v
    where v.source_table = c.source_table and v.person_key = c.person_key
    offset 0
) as i
where c.person_key is not null
    and not exists (select from scout.rows_to_check as a where a.source_table = '*')
union all
select
    i.rule,
    i.source_table,
    i.source_pk,
    i.person_key,
    i.raw_value
from scout.v_rows_to_check as c
cross join lateral (
    select
        v.rule,
        v.source_table,
        v.source_pk,
        v.person_key,
        v.raw_value
    from scout.v_source_issues as v
    where v.source_table = c.source_table and v.source_pk = c.source_pk
    offset 0
) as i
where c.row_id is null and c.person_key is null
    and not exists (select from scout.rows_to_check as a where a.source_table = '*');
