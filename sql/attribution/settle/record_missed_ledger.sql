-- What somebody changed in the ledger while our triggers were off is audited once, when it is found: who did it and when
-- nobody knows. One row: how many.
with found as materialized (
    select
        n.person_key,
        n.new_attributed_scout_id as old_scout_id,
        n.updated_at_new as old_updated_at,
        l.attributed_scout_id as new_scout_id,
        l.attribution_rule,
        l.confidence_level::text as confidence_level,
        l.attributed_source,
        l.attribution_score,
        l.decision_status::text as decision_status,
        l.updated_at
    from scout.v_newest_ledger_audit as n
    left join observational.lead_ledger as l on l.person_key = n.person_key
    where l.attributed_scout_id is distinct from n.new_attributed_scout_id
),

audited as (
    insert into ops.lead_ledger_scout_backfill_audit (
        person_key, old_attributed_scout_id, new_attributed_scout_id, attribution_rule_new, attribution_confidence_new,
        backfill_method, actor, notes, is_new_row, attributed_source_new, attribution_score_new, decision_status_new,
        updated_at_old, updated_at_new
    )
    select
        f.person_key, f.old_scout_id, f.new_scout_id, f.attribution_rule, f.confidence_level,
        'EXTERNAL_CHANGE', 'unknown', 'found later', false, f.attributed_source, f.attribution_score, f.decision_status,
        f.old_updated_at, f.updated_at
    from found as f
    returning 1
),

cleared as (
    delete from scout.missed_changes as m
    where m.kind = 'ledger'
    returning 1
)

select
    (select count(*) from audited) as changed_count,
    (select count(*) from cleared) as cleared_count;
