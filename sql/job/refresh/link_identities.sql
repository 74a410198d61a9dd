-- Links a range of the plan's scouting rows, founds their persons, closes their unmatched rows and writes
-- the audit. One row: how many.
with batch as materialized (
    select
        p.apply_order,
        p.row_id,
        p.row_id::text as source_pk,
        p.person_key,
        p.driver_id,
        p.match_rule,
        p.match_score,
        p.match_confidence,
        p.is_founder,
        p.license_key,
        p.phone_key,
        -- constants where they can be: built anew for each row they took a fifth of the step
        case
            when p.license_key is null then '{"has_license": false, "has_phone": true}'::jsonb
            when p.phone_key is null then '{"has_license": true, "has_phone": false}'::jsonb
            else '{"has_license": true, "has_phone": true}'::jsonb
        end || case
            when p.driver_id is null then '{}'::jsonb
            else jsonb_build_object('driver_id', p.driver_id)
        end as evidence
    from scout.planned_links as p
    where p.run_id = :run_id
        and p.outcome = 'LINK'
        and p.apply_order > :after_order
        and p.apply_order <= :upto_order
        -- linked by somebody else since the plan was made
        and not exists (
            select from canon.identity_links as k
            where k.source_table = 'module_ct_scouting_daily' and k.source_pk = p.row_id::text
        )
    order by p.apply_order
),

founded as (
    insert into canon.identity_registry (
        person_key, created_at, updated_at, confidence_level, primary_phone, primary_license, flags
    )
    select
        b.person_key,
        now(),
        now(),
        'LOW',
        b.phone_key,
        b.license_key,
        jsonb_build_object('created_by', 'scout_attribution_refresh', 'run_id', cast(:run_id as integer))
    from batch as b
    where b.is_founder
    on conflict (person_key) do nothing
    returning person_key
),

linked as (
    insert into canon.identity_links (
        person_key, source_table, source_pk, snapshot_date, match_rule, match_score, confidence_level, evidence, linked_at, run_id
    )
    select
        b.person_key,
        'module_ct_scouting_daily',
        b.source_pk,
        now(),
        b.match_rule,
        b.match_score,
        b.match_confidence::public.confidencelevel,
        b.evidence,
        now(),
        :run_id
    from batch as b
    -- a person whose key somebody took meanwhile is not ours to link
    where not b.is_founder or b.person_key in (select f.person_key from founded as f)
    returning source_table, source_pk, person_key, match_rule, match_score, confidence_level, evidence
),

resolved as (
    update canon.identity_unmatched as u
    set
        status = 'RESOLVED',
        resolved_at = now(),
        run_id = :run_id
    from linked as l
    where u.source_table = l.source_table and u.source_pk = l.source_pk and u.status = 'OPEN'
    returning u.id
),

audited as (
    insert into ops.identity_links_backfill_audit (
        source_table, source_pk, person_key, driver_id, match_method, match_confidence, match_score, evidence_json,
        action_type, ingestion_run_id, actor
    )
    select
        l.source_table,
        l.source_pk,
        l.person_key,
        l.evidence ->> 'driver_id',
        l.match_rule,
        l.confidence_level::text,
        l.match_score,
        l.evidence,
        'CREATED',
        :run_id,
        :actor
    from linked as l
    returning match_method
)

select
    (select count(*) from batch) as seen_count,
    (select count(*) from audited) as changed_count,
    (select count(*) from founded) as founded_count,
    (select count(*) from resolved) as resolved_count,
    (select count(*) from audited as a where a.match_method = 'BACKFILL_LICENSE_MATCH') as license_match_count,
    (select count(*) from audited as a where a.match_method = 'BACKFILL_PHONE_MATCH') as phone_match_count,
    (select count(*) from audited as a where a.match_method = 'BACKFILL_NEW_PERSON') as new_person_count;
