-- Reopens the decision in force of those of the locked persons whose evidence is still what was on screen: the
-- ledger gets back what it had before the decision, with the audit row that names the one it takes back.
-- A row that the decision inserted goes, unless somebody has changed more of it than its scout: then it stays
-- without a scout. One row per person reopened.
with asked as (
    select
        a.person_key,
        a.seen
    from unnest(cast(:person_keys as uuid []), cast(:seens as text [])) as a (person_key, seen)
),

persons as materialized (
    select
        p.person_key,
        p.scout_ids,
        d.ledger_scout_id_before,
        l.person_key is not null as has_ledger_row,
        l.attributed_scout_id as old_scout_id,
        l.attributed_source,
        l.attribution_rule,
        l.attribution_score,
        l.confidence_level::text as confidence_level,
        l.evidence_json,
        l.decision_status::text as decision_status,
        l.updated_at,
        b.id as audit_id,
        b.ingestion_run_id as audit_run_id,
        b.id is not null
        and b.attribution_confidence_old is null
        and scout.is_as_audited(l.evidence_json, b.evidence_json_new, b.salt)
        and l.attribution_score = b.attribution_score_new as is_to_go,
        b.attributed_source_old,
        b.attribution_rule_old,
        coalesce(b.attribution_score_old, l.attribution_score) as attribution_score_old,
        coalesce(b.attribution_confidence_old, l.confidence_level::text) as confidence_level_old,
        case
            when not b.is_old_evidence_kept then l.evidence_json
            when l.person_key is null or scout.is_as_audited(l.evidence_json, b.evidence_json_new, b.salt)
                then b.evidence_json_old
            else l.evidence_json
        end as evidence_json_old,
        coalesce(b.decision_status_old, 'unassigned') as decision_status_old,
        coalesce(b.updated_at_old, now()) as updated_at_old,
        coalesce(b.salt, gen_random_uuid()) as salt
    from asked as a
    inner join scout.v_evidence_seen as s
        on s.person_key = a.person_key and s.seen = a.seen
    inner join scout.attribution_of(cast(:person_keys as uuid [])) as p
        on p.person_key = a.person_key
    inner join scout.decisions as d
        on d.decision_id = p.decision_id
    left join observational.lead_ledger as l
        on l.person_key = a.person_key
    left join lateral (
        -- the row by which the ledger got what is decided; a decision for what it said already has none
        select
            w.id,
            w.ingestion_run_id,
            w.attribution_confidence_old,
            w.attributed_source_old,
            w.attribution_rule_old,
            w.attribution_score_old,
            w.attribution_score_new,
            w.decision_status_old,
            w.updated_at_old,
            w.evidence_json_new,
            k.salt,
            case when w.evidence_json_old ? 'left_out_sha256' then k.evidence else w.evidence_json_old end as evidence_json_old,
            -- erased since, or changed by hand: then nobody gets it back
            not coalesce(w.evidence_json_old ? 'left_out_sha256', false)
            or scout.is_as_audited(k.evidence, w.evidence_json_old, k.salt) as is_old_evidence_kept
        from ops.lead_ledger_scout_backfill_audit as w
        left join scout.ledger_evidence_kept as k on k.audit_id = w.id
        where w.person_key = a.person_key
            and w.backfill_method in ('MANUAL_DECISION', 'REVERT')
            and w.old_attributed_scout_id is not distinct from d.ledger_scout_id_before
            and w.new_attributed_scout_id is not distinct from d.scout_id
            and d.ledger_scout_id_before is distinct from d.scout_id
        order by w.id desc
        limit 1
    ) as b on true
),

deleted as (
    delete from observational.lead_ledger as l
    using persons as p
    where l.person_key = p.person_key and p.is_to_go
    returning l.person_key
),

updated as (
    update observational.lead_ledger as l
    set
        attributed_scout_id = p.ledger_scout_id_before,
        attributed_source = p.attributed_source_old,
        attribution_rule = p.attribution_rule_old,
        attribution_score = p.attribution_score_old,
        confidence_level = p.confidence_level_old::public.attributionconfidence,
        evidence_json = p.evidence_json_old,
        decision_status = p.decision_status_old::public.decisionstatus,
        updated_at = p.updated_at_old
    from persons as p
    where l.person_key = p.person_key and p.audit_id is not null and not p.is_to_go
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

-- somebody deleted the row that the decision had emptied
inserted as (
    insert into observational.lead_ledger (
        person_key, attributed_source, attributed_scout_id, attribution_rule, attribution_score, confidence_level,
        evidence_json, decision_status, updated_at
    )
    select
        p.person_key,
        p.attributed_source_old,
        p.ledger_scout_id_before,
        p.attribution_rule_old,
        p.attribution_score_old,
        p.confidence_level_old::public.attributionconfidence,
        p.evidence_json_old,
        p.decision_status_old::public.decisionstatus,
        p.updated_at_old
    from persons as p
    where p.audit_id is not null and not p.has_ledger_row and p.ledger_scout_id_before is not null
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
        'REOPEN',
        null,
        p.scout_ids,
        :reason_code,
        :note,
        :actor,
        :run_id,
        p.old_scout_id
    from persons as p
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
        p.person_key, p.old_scout_id, u.attributed_scout_id, p.attribution_rule, u.attribution_rule,
        p.confidence_level, u.confidence_level, scout.audited_evidence(p.evidence_json, p.salt),
        scout.audited_evidence(u.evidence_json, p.salt), 'REVERT',
        :run_id, :actor, 'reverts audit row ' || p.audit_id || ' of run ' || p.audit_run_id,
        not p.has_ledger_row, p.attributed_source, u.attributed_source, p.attribution_score,
        u.attribution_score, p.decision_status, u.decision_status, p.updated_at, u.updated_at
    from persons as p
    left join written as u on u.person_key = p.person_key
    where p.person_key in (select w.person_key from written as w)
        or p.person_key in (select g.person_key from deleted as g)
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
    left join written as w on w.person_key = a.person_key
    where not (scout.is_audit_evidence(p.evidence_json) and scout.is_audit_evidence(w.evidence_json))
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
