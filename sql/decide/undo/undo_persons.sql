-- Gives the ledger rows of one range of persons back what a run found there, where what the run wrote still stands,
-- with the audit rows that name what they take back; takes back its decisions; holds the persons.
-- One row: how many.
with judged as materialized (
    select
        v.person_key,
        v.audit_id,
        v.decision_id,
        v.outcome
    from scout.v_undo_persons as v
    where v.run_id = :target_run_id
        and (cast(:after_key as uuid) is null or v.person_key > cast(:after_key as uuid))
        and v.person_key <= cast(:upto_key as uuid)
),

items as materialized (
    select
        j.person_key,
        a.id,
        a.old_attributed_scout_id,
        a.new_attributed_scout_id,
        a.attribution_rule_old,
        a.attribution_rule_new,
        a.attribution_confidence_old,
        a.attribution_confidence_new,
        -- what the audit left out of the owner's evidence was kept beside it
        case when a.evidence_json_old ? 'left_out_sha256' then k.evidence else a.evidence_json_old end as evidence_json_old,
        l.evidence_json as evidence_json_new,
        coalesce(k.salt, gen_random_uuid()) as salt,
        a.attributed_source_old,
        a.attributed_source_new,
        a.attribution_score_old,
        a.attribution_score_new,
        a.decision_status_old,
        a.decision_status_new,
        a.updated_at_old,
        a.updated_at_new
    from judged as j
    inner join ops.lead_ledger_scout_backfill_audit as a on a.id = j.audit_id
    left join scout.ledger_evidence_kept as k on k.audit_id = a.id
    left join observational.lead_ledger as l on l.person_key = j.person_key
    where j.outcome = 'UNDO'
),

-- a row has a confidence; without one there was none
deleted as (
    delete from observational.lead_ledger as l
    using items as i
    where l.person_key = i.person_key and i.attribution_confidence_old is null
    returning l.person_key
),

updated as (
    update observational.lead_ledger as l
    set
        attributed_scout_id = i.old_attributed_scout_id,
        attributed_source = i.attributed_source_old,
        attribution_rule = i.attribution_rule_old,
        attribution_score = i.attribution_score_old,
        confidence_level = i.attribution_confidence_old::public.attributionconfidence,
        evidence_json = i.evidence_json_old,
        decision_status = i.decision_status_old::public.decisionstatus,
        updated_at = i.updated_at_old
    from items as i
    where l.person_key = i.person_key and i.attribution_confidence_old is not null
    returning l.person_key
),

inserted as (
    insert into observational.lead_ledger (
        person_key, attributed_source, attributed_scout_id, attribution_rule, attribution_score, confidence_level,
        evidence_json, decision_status, updated_at
    )
    select
        i.person_key,
        i.attributed_source_old,
        i.old_attributed_scout_id,
        i.attribution_rule_old,
        i.attribution_score_old,
        i.attribution_confidence_old::public.attributionconfidence,
        i.evidence_json_old,
        i.decision_status_old::public.decisionstatus,
        i.updated_at_old
    from items as i
    where i.attribution_confidence_new is null and i.attribution_confidence_old is not null
    returning person_key
),

restored as (
    select d.person_key from deleted as d
    union all
    select u.person_key from updated as u
    union all
    select n.person_key from inserted as n
),

audited as (
    insert into ops.lead_ledger_scout_backfill_audit (
        person_key, old_attributed_scout_id, new_attributed_scout_id, attribution_rule_old, attribution_rule_new,
        attribution_confidence_old, attribution_confidence_new, evidence_json_old, evidence_json_new, backfill_method,
        ingestion_run_id, actor, notes, is_new_row, attributed_source_old, attributed_source_new, attribution_score_old,
        attribution_score_new, decision_status_old, decision_status_new, updated_at_old, updated_at_new
    )
    select
        i.person_key, i.new_attributed_scout_id, i.old_attributed_scout_id, i.attribution_rule_new, i.attribution_rule_old,
        i.attribution_confidence_new, i.attribution_confidence_old, scout.audited_evidence(i.evidence_json_new, i.salt),
        scout.audited_evidence(i.evidence_json_old, i.salt), 'REVERT',
        :run_id, :actor, 'reverts audit row ' || i.id || ' of run ' || cast(:target_run_id as integer),
        i.attribution_confidence_new is null, i.attributed_source_new, i.attributed_source_old, i.attribution_score_new,
        i.attribution_score_old, i.decision_status_new, i.decision_status_old, i.updated_at_new, i.updated_at_old
    from items as i
    inner join restored as r on r.person_key = i.person_key
    returning id, person_key
),

kept as (
    insert into scout.ledger_evidence_kept (audit_id, salt, evidence)
    select
        a.id,
        i.salt,
        i.evidence_json_new
    from audited as a
    inner join items as i on i.person_key = a.person_key
    where not (scout.is_audit_evidence(i.evidence_json_new) and scout.is_audit_evidence(i.evidence_json_old))
    returning audit_id
),

decisions_back as (
    select
        j.person_key,
        d.decision_id,
        d.considered_scout_ids,
        case when a.id is null then d.ledger_scout_id_before else a.new_attributed_scout_id end as scout_id_before,
        -- the decision before this one stands again, if it stood when this one was taken
        b.outcome,
        b.scout_id,
        b.considered_scout_ids as considered_before,
        b.ledger_scout_id_before
    from judged as j
    inner join scout.decisions as d on d.decision_id = j.decision_id
    left join items as a on a.person_key = j.person_key
    left join lateral (
        select
            p.outcome,
            p.scout_id,
            p.considered_scout_ids,
            p.ledger_scout_id_before
        from scout.decisions as p
        where p.person_key = d.person_key and p.decision_id < d.decision_id
        order by p.decision_id desc
        limit 1
    ) as b
        on b.outcome <> 'REOPEN'
        and b.scout_id is not distinct from d.ledger_scout_id_before
    where j.outcome = 'UNDO'
        and (j.audit_id is null or j.person_key in (select r.person_key from restored as r))
),

decided as (
    insert into scout.decisions (
        person_key, outcome, scout_id, considered_scout_ids, reason_code, note, actor, run_id, ledger_scout_id_before
    )
    select
        b.person_key,
        coalesce(b.outcome, 'REOPEN'),
        b.scout_id,
        coalesce(b.considered_before, b.considered_scout_ids),
        'UNDONE',
        'reverts decision ' || b.decision_id || ' of run ' || cast(:target_run_id as integer) || ': ' || cast(:reason as text),
        :actor,
        :run_id,
        case when b.outcome is null then b.scout_id_before else b.ledger_scout_id_before end
    from decisions_back as b
    returning person_key
),

undone as (
    select a.person_key from audited as a
    union
    select d.person_key from decided as d
),

held as (
    insert into scout.holds (subject, person_key, reason, actor, run_id)
    select
        'person',
        u.person_key,
        cast(:reason as text),
        :actor,
        :run_id
    from undone as u
    where not exists (
        select from scout.v_held_persons as h
        where h.person_key = u.person_key
    )
    returning hold_id
)

select
    (select count(*) from undone) as undone_count,
    (select count(*) from audited) as ledger_count,
    (select count(*) from deleted) as deleted_count,
    (select count(*) from decided) as decision_count,
    (select count(*) from held) as held_count,
    (select count(*) from judged as j where j.outcome = 'CHANGED_LATER') as changed_later_count,
    (select count(*) from judged as j where j.outcome = 'ALREADY_UNDONE') as already_undone_count,
    (select count(*) from judged as j where j.outcome = 'UNDO') as wanted_count;
