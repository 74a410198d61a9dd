-- Decides about those of the locked persons whose evidence is still what was on screen: ledger, its audit row and
-- the decision in one statement. The ledger is left alone where it says already what is decided.
-- One row per person decided.
with asked as (
    select
        a.person_key,
        a.seen
    from unnest(cast(:person_keys as uuid []), cast(:seens as text [])) as a (person_key, seen)
),

persons as materialized (
    select
        p.person_key,
        p.ledger_scout_id as old_scout_id,
        p.scout_ids,
        l.person_key is not null as has_ledger_row,
        l.attributed_source,
        l.attribution_rule,
        l.attribution_score,
        l.confidence_level::text as confidence_level,
        l.evidence_json,
        case when not scout.is_audit_evidence(l.evidence_json) then gen_random_uuid() end as salt,
        l.decision_status::text as decision_status,
        l.updated_at,
        jsonb_build_object('scout_decision', jsonb_build_object(
            'run_id', cast(:run_id as integer),
            'outcome', cast(:outcome as text),
            'reason_code', cast(:reason_code as text),
            'considered_scout_ids', p.scout_ids
        )) as evidence
    from asked as a
    inner join scout.v_evidence_seen as s
        on s.person_key = a.person_key and s.seen = a.seen
    inner join scout.attribution_of(cast(:person_keys as uuid [])) as p
        on p.person_key = a.person_key
    left join observational.lead_ledger as l
        on l.person_key = a.person_key
),

updated as (
    update observational.lead_ledger as l
    set
        attributed_scout_id = cast(:scout_id as integer),
        attributed_source = 'MANUAL_DECISION',
        attribution_rule = 'MANUAL_DECISION',
        confidence_level = 'high',
        decision_status = (case when cast(:scout_id as integer) is null then 'unassigned' else 'assigned' end)::public.decisionstatus,
        evidence_json = case
            when jsonb_typeof(p.evidence_json) = 'object' then p.evidence_json
            when p.evidence_json is null then '{}'
            else jsonb_build_object('previous', p.evidence_json)
        end || p.evidence,
        updated_at = now()
    from persons as p
    where l.person_key = p.person_key and p.old_scout_id is distinct from cast(:scout_id as integer)
    returning
        l.person_key,
        l.attributed_scout_id,
        l.attribution_rule,
        l.confidence_level::text as confidence_level,
        l.evidence_json,
        l.attributed_source,
        l.attribution_score,
        l.decision_status::text as decision_status,
        l.updated_at
),

inserted as (
    insert into observational.lead_ledger (
        person_key, attributed_source, attributed_scout_id, attribution_rule, attribution_score, confidence_level,
        evidence_json, decision_status, updated_at
    )
    select
        p.person_key,
        'MANUAL_DECISION',
        cast(:scout_id as integer),
        'MANUAL_DECISION',
        1,
        'high',
        p.evidence,
        'assigned',
        now()
    from persons as p
    where not p.has_ledger_row and cast(:scout_id as integer) is not null
    on conflict (person_key) do nothing
    returning
        person_key, attributed_scout_id, attribution_rule, confidence_level::text as confidence_level, evidence_json,
        attributed_source, attribution_score, decision_status::text as decision_status, updated_at
),

written as (
    select u.* from updated as u
    union all
    select i.* from inserted as i
),

decided as (
    insert into scout.decisions (
        person_key, outcome, scout_id, considered_scout_ids, reason_code, note, actor, run_id, ledger_scout_id_before
    )
    select
        p.person_key,
        :outcome,
        cast(:scout_id as integer),
        p.scout_ids,
        :reason_code,
        :note,
        :actor,
        :run_id,
        p.old_scout_id
    from persons as p
    where p.old_scout_id is not distinct from cast(:scout_id as integer)
        or p.person_key in (select w.person_key from written as w)
    returning decision_id, person_key
),

audited as (
    insert into ops.lead_ledger_scout_backfill_audit (
        person_key, old_attributed_scout_id, new_attributed_scout_id, attribution_rule_old, attribution_rule_new,
        attribution_confidence_old, attribution_confidence_new, evidence_json_old, evidence_json_new, backfill_method,
        ingestion_run_id, actor, notes, is_new_row, attributed_source_old, attributed_source_new, attribution_score_old,
        attribution_score_new, decision_status_old, decision_status_new, updated_at_old, updated_at_new
    )
    select
        w.person_key, p.old_scout_id, w.attributed_scout_id, p.attribution_rule, w.attribution_rule,
        p.confidence_level, w.confidence_level, scout.audited_evidence(p.evidence_json, p.salt),
        scout.audited_evidence(w.evidence_json, p.salt), 'MANUAL_DECISION',
        :run_id, :actor, 'decision ' || d.decision_id || ': ' || cast(:reason_code as text),
        not p.has_ledger_row, p.attributed_source, w.attributed_source, p.attribution_score,
        w.attribution_score, p.decision_status, w.decision_status, p.updated_at, w.updated_at
    from written as w
    inner join persons as p on p.person_key = w.person_key
    inner join decided as d on d.person_key = w.person_key
    returning id, person_key
),

kept as (
    insert into scout.ledger_evidence_kept (audit_id, salt, evidence)
    select
        a.id,
        p.salt,
        p.evidence_json
    from audited as a
    inner join persons as p on p.person_key = a.person_key
    where p.salt is not null
    returning audit_id
)

select
    d.person_key::text as person_key,
    d.decision_id,
    p.old_scout_id,
    d.person_key in (select a.person_key from audited as a) as is_ledger_changed
from decided as d
inner join persons as p on p.person_key = d.person_key
order by d.person_key;
