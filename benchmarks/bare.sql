-- The bare statements that the job is measured against: the same rows, no rules, no lock, no audit.

-- name: open_run
insert into ops.ingestion_runs (job_type, status) values ('identity_run', 'RUNNING');

-- name: keep_links
create unlogged table public.bench_links as
select
    c.source_pk,
    c.person_key,
    c.match_rule,
    c.match_score,
    c.match_confidence,
    c.is_founder,
    c.license_key,
    c.phone_key
from scout.v_identity_candidates as c
where c.outcome = 'LINK';

-- name: insert_select_links
with candidates as materialized (
    select
        c.source_pk,
        c.person_key,
        c.match_rule,
        c.match_score,
        c.match_confidence,
        c.is_founder,
        c.license_key,
        c.phone_key
    from scout.v_identity_candidates as c
    where c.outcome = 'LINK'
),

founded as (
    insert into canon.identity_registry (person_key, confidence_level, primary_phone, primary_license)
    select
        b.person_key,
        'LOW',
        b.phone_key,
        b.license_key
    from candidates as b
    where b.is_founder
)

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
    '{"has_license": true, "has_phone": true}',
    now(),
    (select max(r.id) from ops.ingestion_runs as r)
from candidates as b;

-- name: insert_links
with founded as (
    insert into canon.identity_registry (person_key, confidence_level, primary_phone, primary_license)
    select
        b.person_key,
        'LOW',
        b.phone_key,
        b.license_key
    from public.bench_links as b
    where b.is_founder
)

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
    '{"has_license": true, "has_phone": true}',
    now(),
    (select max(r.id) from ops.ingestion_runs as r)
from public.bench_links as b;

-- name: update_ledger
with candidates as materialized (
    select
        c.person_key,
        c.scout_id,
        c.attributed_source,
        jsonb_build_object('scout_backfill', c.evidence) as evidence
    from scout.v_propagation_candidates as c
    where c.person_key > %(after_key)s and c.person_key <= %(upto_key)s
),

inserted as (
    insert into observational.lead_ledger (
        person_key, attributed_source, attributed_scout_id, attribution_rule, attribution_score, confidence_level,
        evidence_json, decision_status
    )
    select
        c.person_key,
        c.attributed_source,
        c.scout_id,
        'BARE',
        0.95,
        'high',
        c.evidence,
        'assigned'
    from candidates as c
    where not exists (select from observational.lead_ledger as l where l.person_key = c.person_key)
)

update observational.lead_ledger as l
set
    attributed_scout_id = c.scout_id,
    attributed_source = c.attributed_source,
    attribution_rule = 'BARE',
    confidence_level = 'high',
    decision_status = 'assigned',
    evidence_json = coalesce(l.evidence_json, '{}') || c.evidence,
    updated_at = now()
from candidates as c
where l.person_key = c.person_key and l.attributed_scout_id is null;
