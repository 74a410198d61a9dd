-- Keeps what a check of the sources found (quality_found): rows that came, changed and went, and the result.
with found as materialized (
    select
        q.source_table,
        q.source_pk,
        q.person_key,
        case
            when q.person_key in (select x.person_key from scout.erased_persons as x) then 'erased'
            else q.detail
        end as detail,
        q.on_date
    from quality_found as q
),

gone as (
    delete from scout.quality_rows as r
    where r.check_name = :check_name
        and not exists (
            select from quality_found as f where f.source_table = r.source_table and f.source_pk = r.source_pk
        )
    returning 1
),

changed as (
    update scout.quality_rows as r
    set
        person_key = f.person_key,
        detail = f.detail,
        on_date = f.on_date
    from found as f
    where r.check_name = :check_name
        and f.source_table = r.source_table
        and f.source_pk = r.source_pk
        and (f.person_key, f.detail, f.on_date) is distinct from (r.person_key, r.detail, r.on_date)
    returning 1
),

appeared as (
    insert into scout.quality_rows (check_name, source_table, source_pk, person_key, detail, on_date, found_at)
    select
        :check_name,
        f.source_table,
        f.source_pk,
        f.person_key,
        f.detail,
        f.on_date,
        :ran_at
    from found as f
    where not exists (
        select from scout.quality_rows as r
        where r.check_name = :check_name and r.source_table = f.source_table and r.source_pk = f.source_pk
    )
    order by f.on_date nulls first, f.source_table, f.source_pk
    returning 1
),

counted as (
    select count(*) as row_count
    from quality_found as f
)

insert into scout.quality_results (
    check_name, severity, state, row_count, appeared_count, gone_count, lima_date, ran_at, took_ms, run_id, actor
)
select
    :check_name,
    :severity,
    case when c.row_count > 0 then 'FOUND' else 'OK' end,
    c.row_count,
    (select count(*) from appeared),
    (select count(*) from gone),
    :lima_date,
    :ran_at,
    (extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000)::integer,
    :run_id,
    :actor
from counted as c;
