-- Gives the candidates of one range of person keys their scout, ledger and audit in one statement.
-- Persons and ledger rows that somebody else holds are skipped; old values are those of the locked rows. Of evidence
-- that is the owner's the audit keeps a salted hash; the value itself is kept where it can be erased.
with locked_persons as materialized (
    select
        c.person_key,
        c.scout_id,
        c.attributed_source,
        jsonb_build_object('scout_backfill', c.evidence || jsonb_build_object('run_id', cast(:run_id as integer))) as evidence
    from (
        select
            v.person_key,
            v.scout_id,
            v.attributed_source,
            v.evidence
        from scout.v_propagation_candidates as v
        where (cast(:after_key as uuid) is null or v.person_key > cast(:after_key as uuid))
            and v.person_key <= cast(:upto_key as uuid)
        offset 0
    ) as c
    inner join canon.identity_registry as r on r.person_key = c.person_key
    order by c.person_key
    for no key update of r skip locked
),

locked_ledger as materialized (
    select
        p.person_key,
        p.scout_id,
        p.attributed_source,
        p.evidence,
        l.attributed_scout_id as old_scout_id,
        l.attributed_source as old_attributed_source,
        l.attribution_rule as old_attribution_rule,
        l.attribution_score as old_attribution_score,
        l.confidence_level::text as old_confidence_level,
        l.evidence_json as old_evidence_json,
        case when not scout.is_audit_evidence(l.evidence_json) then gen_random_uuid() end as salt,
        l.decision_status::text as old_decision_status,
        l.updated_at as old_updated_at
    from locked_persons as p
    inner join observational.lead_ledger as l on l.person_key = p.person_key
    where l.attributed_scout_id is null
    order by p.person_key
    for no key update of l skip locked
),

updated as (
    update observational.lead_ledger as l
    set
        attributed_scout_id = o.scout_id,
        attributed_source = o.attributed_source,
        attribution_rule = 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS',
        confidence_level = 'high',
        decision_status = 'assigned',
        evidence_json = case
            when jsonb_typeof(o.old_evidence_json) = 'object' then o.old_evidence_json
            when o.old_evidence_json is null then '{}'
            else jsonb_build_object('previous', o.old_evidence_json)
        end || o.evidence,
        updated_at = now()
    from locked_ledger as o
    where l.person_key = o.person_key and l.attributed_scout_id is null
    returning
        l.person_key,
        l.attributed_scout_id,
        l.attribution_rule,
        l.confidence_level::text as confidence_level,
        l.evidence_json,
        l.attributed_source,
        l.attribution_score,
        l.decision_status::text as decision_status,
        l.updated_at,
        o.old_scout_id,
        o.old_attributed_source,
        o.old_attribution_rule,
        o.old_attribution_score,
        o.old_confidence_level,
        o.old_evidence_json,
        o.salt,
        o.old_decision_status,
        o.old_updated_at
),

inserted as (
    insert into observational.lead_ledger (
        person_key, attributed_source, attributed_scout_id, attribution_rule, attribution_score, confidence_level,
        evidence_json, decision_status, updated_at
    )
    select
        p.person_key,
        p.attributed_source,
        p.scout_id,
        'BACKFILL_SINGLE_SCOUT_FROM_EVENTS',
        0.95,
        'high',
        p.evidence,
        'assigned',
        now()
    from locked_persons as p
    where not exists (select from observational.lead_ledger as l where l.person_key = p.person_key)
    on conflict (person_key) do nothing
    returning
        person_key, attributed_scout_id, attribution_rule, confidence_level, evidence_json, attributed_source,
        attribution_score, decision_status, updated_at
),

audited as (
    insert into ops.lead_ledger_scout_backfill_audit (
        person_key, old_attributed_scout_id, new_attributed_scout_id, attribution_rule_old, attribution_rule_new,
        attribution_confidence_old, attribution_confidence_new, evidence_json_old, evidence_json_new, backfill_method,
        ingestion_run_id, actor, is_new_row, attributed_source_old, attributed_source_new, attribution_score_old,
        attribution_score_new, decision_status_old, decision_status_new, updated_at_old, updated_at_new
    )
    select
        u.person_key, u.old_scout_id, u.attributed_scout_id, u.old_attribution_rule, u.attribution_rule,
        u.old_confidence_level, u.confidence_level, scout.audited_evidence(u.old_evidence_json, u.salt),
        scout.audited_evidence(u.evidence_json, u.salt), 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS',
        :run_id, :actor, false, u.old_attributed_source, u.attributed_source, u.old_attribution_score,
        u.attribution_score, u.old_decision_status, u.decision_status, u.old_updated_at, u.updated_at
    from updated as u
    union all
    select
        i.person_key, null, i.attributed_scout_id, null, i.attribution_rule,
        null, i.confidence_level::text, null, i.evidence_json, 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS',
        :run_id, :actor, true, null, i.attributed_source, null,
        i.attribution_score, null, i.decision_status::text, null, i.updated_at
    from inserted as i
    returning id, person_key, is_new_row
),

kept as (
    insert into scout.ledger_evidence_kept (audit_id, salt, evidence)
    select
        a.id,
        u.salt,
        u.old_evidence_json
    from audited as a
    inner join updated as u on u.person_key = a.person_key
    where u.salt is not null
    returning audit_id
)

select
    (select count(*) from audited) as changed_count,
    (select count(*) from audited as a where a.is_new_row) as inserted_count,
    (select count(*) from kept) as kept_count;
