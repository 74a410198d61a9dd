-- Opens an issue for each bad value of the source rows that were touched, sees the known ones again, closes
-- those mended. Takes the rows off the list.
with checked as materialized (
    select
        c.source_table,
        c.source_pk
    from scout.v_rows_to_check as c
),

extent as materialized (
    select exists (select from scout.rows_to_check as c where c.source_table = '*') as is_everything
),

found as materialized (
    select distinct on (i.source_table, coalesce(i.source_pk, ''), i.rule, md5(i.raw_value))
        i.source_table,
        coalesce(i.source_pk, '') as source_pk,
        i.rule,
        md5(i.raw_value) as raw_hash,
        i.person_key,
        case
            when i.person_key is null or i.person_key not in (select x.person_key from scout.erased_persons as x)
                then left(concat_ws(' ', scout.mask_excerpt(i.raw_value), scout.code_points(i.raw_value)), 200)
        end as raw_excerpt
    from scout.v_issues_to_record as i
    order by i.source_table, coalesce(i.source_pk, ''), i.rule, md5(i.raw_value)
),

closed as (
    update scout.data_quality_issues as q
    set
        closed_at = now(),
        closed_run = :run_id
    where q.closed_at is null
        and (
            (select e.is_everything from extent as e)
            or (q.source_table, q.source_pk) in (select c.source_table, c.source_pk from checked as c)
            -- a link that is gone cannot be looked up by what it linked
            or (
                q.source_table = 'canon.identity_links'
                and not exists (select from canon.identity_links as l where l.id = q.source_pk::integer)
            )
        )
        and not exists (
            select from found as f
            where f.source_table = q.source_table
                and f.source_pk = q.source_pk
                and f.rule = q.rule
                and f.raw_hash = q.raw_hash
        )
    returning q.issue_id
),

written as (
    insert into scout.data_quality_issues as q (
        source_table, source_pk, rule, raw_hash, raw_excerpt, person_key, first_seen_run, last_seen_run
    )
    select
        f.source_table,
        f.source_pk,
        f.rule,
        f.raw_hash,
        f.raw_excerpt,
        f.person_key,
        :run_id,
        :run_id
    from found as f
    on conflict (source_table, source_pk, rule, raw_hash) do update
        set
            last_seen_run = excluded.last_seen_run,
            last_seen_at = excluded.last_seen_at,
            person_key = excluded.person_key,
            closed_at = null,
            closed_run = null
    returning q.first_seen_run
),

taken as (
    delete from scout.rows_to_check
    returning 1
)

select
    (select count(*) from written) as seen_count,
    (select count(*) from taken) as taken_count,
    (select count(*) from written as w where w.first_seen_run = :run_id) as opened_count,
    (select count(*) from closed) as closed_count;
