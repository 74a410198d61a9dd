-- One row per run and person whose ledger row it wrote or about whom it decided: what undoing the run does there.
-- outcome UNDO, CHANGED_LATER (what is there is no longer what the run wrote) or ALREADY_UNDONE; later_* = who
-- changed it since, null when that left no audit row. What somebody else took away and brought back as it was is what
-- the run wrote.
create or replace view scout.v_undo_persons as
select
    w.run_id,
    w.person_key,
    w.audit_id,
    w.decision_id,
    w.old_scout_id,
    w.new_scout_id,
    case
        when b.is_undone then 'ALREADY_UNDONE'
        when b.is_changed then 'CHANGED_LATER'
        else 'UNDO'
    end as outcome,
    case when b.is_undone or n.id <> w.audit_id then n.ingestion_run_id else k.run_id end as later_run_id,
    case when b.is_undone or n.id <> w.audit_id then n.actor else k.actor end as later_actor,
    case when b.is_undone or n.id <> w.audit_id then n.backfill_method when k.run_id is not null then 'MANUAL_DECISION' end as later_method,
    case when b.is_undone or n.id <> w.audit_id then n.backfill_timestamp else k.decided_at end as later_at
from (
    select
        a.ingestion_run_id as run_id,
        a.person_key,
        a.id as audit_id,
        d.decision_id,
        a.old_attributed_scout_id as old_scout_id,
        a.new_attributed_scout_id as new_scout_id,
        row(
            a.new_attributed_scout_id::integer, a.attribution_rule_new::text, a.attribution_confidence_new::text,
            a.attributed_source_new::text, a.attribution_score_new::numeric,
            a.decision_status_new::text, a.updated_at_new
        ) as written,
        a.evidence_json_old,
        a.evidence_json_new,
        d.decided_at
    from ops.lead_ledger_scout_backfill_audit as a
    inner join scout.runs as r on r.run_id = a.ingestion_run_id
    left join scout.decisions as d on d.run_id = a.ingestion_run_id and d.person_key = a.person_key
    union all
    -- a decision for what the ledger said already
    select
        d.run_id,
        d.person_key,
        null as audit_id,
        d.decision_id,
        d.ledger_scout_id_before as old_scout_id,
        d.ledger_scout_id_before as new_scout_id,
        null as written,
        null::jsonb as evidence_json_old,
        null::jsonb as evidence_json_new,
        d.decided_at
    from scout.decisions as d
    inner join scout.runs as r on r.run_id = d.run_id
    where not exists (
        select from ops.lead_ledger_scout_backfill_audit as a
        where a.person_key = d.person_key and a.ingestion_run_id = d.run_id
    )
) as w
left join observational.lead_ledger as l
    on l.person_key = w.person_key
left join scout.ledger_evidence_kept as e
    on e.audit_id = w.audit_id
left join lateral (
    select
        a.id,
        a.ingestion_run_id,
        a.actor,
        a.backfill_method,
        a.backfill_timestamp
    from ops.lead_ledger_scout_backfill_audit as a
    where a.person_key = w.person_key
    order by a.id desc
    limit 1
) as n on true
left join lateral (
    select
        a.id,
        a.backfill_timestamp
    from ops.lead_ledger_scout_backfill_audit as a
    where a.person_key = w.person_key and a.backfill_method <> 'EXTERNAL_CHANGE'
    order by a.id desc
    limit 1
) as o on true
left join lateral (
    select
        d.decision_id,
        d.run_id,
        d.actor,
        d.decided_at
    from scout.decisions as d
    where d.person_key = w.person_key and d.decision_id > w.decision_id
    order by d.decision_id desc
    limit 1
) as k on true
cross join lateral (
    select
        exists (
            select from ops.lead_ledger_scout_backfill_audit as v
            where v.backfill_method = 'REVERT' and v.notes = 'reverts audit row ' || w.audit_id || ' of run ' || w.run_id
        )
        or exists (
            select from scout.decisions as v
            where v.person_key = w.person_key and v.reason_code = 'UNDONE' and scout.reverted_id(v.note) = w.decision_id
        ) as is_undone,
        k.decision_id is not null
        or (
            w.audit_id is not null
            and (
                o.id <> w.audit_id
                or (row(
                    l.attributed_scout_id::integer, l.attribution_rule::text, l.confidence_level::text,
                    l.attributed_source::text, l.attribution_score::numeric,
                    l.decision_status::text, l.updated_at
                ) is distinct from w.written)
                or not scout.is_as_audited(l.evidence_json::jsonb, w.evidence_json_new, e.salt)
                -- what it found there was erased since: nobody can give it back
                or (
                    coalesce(w.evidence_json_old ? 'left_out_sha256', false)
                    and not scout.is_as_audited(e.evidence, w.evidence_json_old, e.salt)
                )
            )
        )
        or (
            w.audit_id is null
            and ((l.attributed_scout_id is distinct from w.new_scout_id) or coalesce(o.backfill_timestamp > w.decided_at, false))
        ) as is_changed
) as b;
