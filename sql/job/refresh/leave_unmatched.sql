-- Writes the next scouting rows that could not be linked, where their reason is new, with the audit.
with batch as materialized (
    select
        p.apply_order,
        p.row_id::text as source_pk,
        p.reason_code,
        p.rule_reason_code,
        p.license_key,
        p.phone_key,
        p.candidate_person_keys,
        p.license_person_count,
        p.phone_person_count
    from scout.planned_links as p
    where p.run_id = :run_id and p.is_new_reason and p.apply_order > :after_order
    order by p.apply_order
    limit :row_limit
),

written as (
    insert into canon.identity_unmatched as u (
        source_table, source_pk, snapshot_date, reason_code, details, candidates_preview, status, created_at, run_id
    )
    select
        'module_ct_scouting_daily',
        b.source_pk,
        now(),
        b.reason_code,
        jsonb_build_object(
            'has_license', b.license_key is not null,
            'has_phone', b.phone_key is not null,
            'license_persons', b.license_person_count,
            'phone_persons', b.phone_person_count
        ) || case
            when b.rule_reason_code <> b.reason_code then jsonb_build_object('rule_reason', b.rule_reason_code)
            else '{}'
        end,
        to_jsonb(b.candidate_person_keys),
        'OPEN',
        now(),
        :run_id
    from batch as b
    on conflict (source_table, source_pk) do update
        set
            snapshot_date = excluded.snapshot_date,
            reason_code = excluded.reason_code,
            details = excluded.details,
            candidates_preview = excluded.candidates_preview,
            status = 'OPEN',
            resolved_at = null,
            run_id = excluded.run_id
        where u.status <> 'IGNORED'
            -- what was set aside under this number said something else
            or exists (
                select from scout.ignored_rows as i
                inner join scout.src_scouting_daily as s on s.source_pk = i.source_pk
                where i.source_table = u.source_table and i.source_pk = u.source_pk and i.content <> s.content
            )
    returning source_table, source_pk, reason_code, details
),

forgotten as (
    delete from scout.ignored_rows as i
    using written as w
    where i.source_table = w.source_table and i.source_pk = w.source_pk
    returning i.source_pk
),

audited as (
    insert into ops.identity_links_backfill_audit (
        source_table, source_pk, match_method, evidence_json, action_type, ingestion_run_id, actor
    )
    select
        w.source_table,
        w.source_pk,
        w.reason_code,
        w.details,
        case when w.reason_code = 'NO_IDENTIFIERS' then 'SKIPPED' else 'AMBIGUOUS' end,
        :run_id,
        :actor
    from written as w
    returning id
)

select
    (select count(*) from batch) as seen_count,
    (select max(b.apply_order) from batch as b) as last_order,
    (select count(*) from audited) as changed_count;
