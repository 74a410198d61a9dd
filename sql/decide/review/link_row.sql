-- Links a scouting row without a link to a person, one who is there or a new one for this row, closes its unmatched
-- row, and writes the audit. One row: what was done; linked_count 0 = the row is linked by now, or gone.
with chosen as materialized (
    select
        s.source_pk,
        s.license_key,
        s.phone_key,
        case
            when cast(:is_new_person as boolean) then scout.new_person_key(s.row_id)
            else cast(:person_key as uuid)
        end as person_key,
        jsonb_build_object('has_license', s.license_key is not null, 'has_phone', s.phone_key is not null) as evidence
    from scout.src_scouting_daily as s
    where s.source_pk = cast(:source_pk as text)
        and not exists (
            select from canon.identity_links as k
            where k.source_table = 'module_ct_scouting_daily' and k.source_pk in (s.source_pk, s.md5_key)
        )
),

founded as (
    insert into canon.identity_registry (
        person_key, created_at, updated_at, confidence_level, primary_phone, primary_license, flags
    )
    select
        c.person_key,
        now(),
        now(),
        'MEDIUM',
        c.phone_key,
        c.license_key,
        jsonb_build_object('created_by', 'scout_attribution_review', 'run_id', cast(:run_id as integer))
    from chosen as c
    where cast(:is_new_person as boolean)
    returning person_key
),

linked as (
    insert into canon.identity_links (
        person_key, source_table, source_pk, snapshot_date, match_rule, match_score, confidence_level, evidence, linked_at, run_id
    )
    select
        c.person_key,
        'module_ct_scouting_daily',
        c.source_pk,
        now(),
        case when cast(:is_new_person as boolean) then 'REVIEW_NEW_PERSON' else 'REVIEW_LINK' end,
        100,
        'HIGH',
        c.evidence,
        now(),
        :run_id
    from chosen as c
    where not cast(:is_new_person as boolean) or c.person_key in (select f.person_key from founded as f)
    returning source_table, source_pk, person_key, match_rule, match_score, confidence_level, evidence
),

resolved as (
    update canon.identity_unmatched as u
    set
        status = 'RESOLVED',
        resolved_at = now(),
        run_id = :run_id
    from linked as l
    where u.source_table = l.source_table and u.source_pk = l.source_pk and u.status <> 'RESOLVED'
    returning u.id
),

audited as (
    insert into ops.identity_links_backfill_audit (
        source_table, source_pk, person_key, match_method, match_confidence, match_score, evidence_json, action_type,
        ingestion_run_id, actor
    )
    select
        l.source_table,
        l.source_pk,
        l.person_key,
        l.match_rule,
        l.confidence_level::text,
        l.match_score,
        l.evidence,
        'CREATED',
        :run_id,
        :actor
    from linked as l
    returning person_key
)

select
    (select a.person_key::text from audited as a) as person_key,
    (select count(*) from audited) as linked_count,
    (select count(*) from founded) as founded_count,
    (select count(*) from resolved) as resolved_count;
