-- Sets a scouting row that is linked to nobody aside as nobody: no run links it. With the audit. One row: how many.
with chosen as materialized (
    select
        s.source_pk,
        s.content,
        u.reason_code,
        u.status::text as status
    from scout.src_scouting_daily as s
    left join canon.identity_unmatched as u
        on u.source_table = 'module_ct_scouting_daily' and u.source_pk = s.source_pk
    where s.source_pk = cast(:source_pk as text)
        and not s.is_repeated
        and not exists (
            select from scout.v_scouting_persons as k
            where k.row_id = s.row_id
        )
        and not exists (
            select from scout.v_ignored_rows as i
            where i.source_table = 'module_ct_scouting_daily' and i.source_pk = s.source_pk
        )
),

written as (
    insert into canon.identity_unmatched as u (
        source_table, source_pk, snapshot_date, reason_code, details, status, created_at, run_id
    )
    select
        'module_ct_scouting_daily',
        c.source_pk,
        now(),
        'REVIEW_DISMISSED',
        jsonb_build_object('set_aside_by_run', cast(:run_id as integer)),
        'IGNORED',
        now(),
        :run_id
    from chosen as c
    on conflict (source_table, source_pk) do update
        set
            status = 'IGNORED',
            resolved_at = null,
            run_id = excluded.run_id
    returning source_table, source_pk
),

said as (
    insert into scout.ignored_rows as i (source_table, source_pk, content)
    select
        w.source_table,
        w.source_pk,
        c.content
    from written as w
    inner join chosen as c on c.source_pk = w.source_pk
    on conflict (source_table, source_pk) do update
        set content = excluded.content
    returning i.source_pk
),

-- the trigger takes what a run writes there for its verdict; rows that hang on this one are to be judged
noted as (
    insert into scout.pending_persons (source_table, source_pk)
    select
        w.source_table,
        w.source_pk
    from written as w
    returning 1
),

audited as (
    insert into ops.identity_links_backfill_audit (
        source_table, source_pk, match_method, evidence_json, action_type, ingestion_run_id, actor
    )
    select
        w.source_table,
        w.source_pk,
        'REVIEW_DISMISSED',
        jsonb_build_object('reason_before', c.reason_code, 'status_before', c.status),
        'SKIPPED',
        :run_id,
        :actor
    from written as w
    inner join chosen as c on c.source_pk = w.source_pk
    returning id
)

select
    (select count(*) from chosen) as chosen_count,
    (select count(*) from audited) as dismissed_count;
