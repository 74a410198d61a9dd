-- One row per person to whom the next run gives a scout: its whole evidence names one known scout.
create or replace view scout.v_propagation_candidates as
select
    p.person_key,
    p.event_scout_min as scout_id,
    p.has_ledger_row,
    (
        select e.origin_table
        from scout.src_lead_events as e
        where e.person_key = p.person_key
            and p.event_scout_min in (e.column_scout_id, e.payload_scout_id)
        order by e.event_on desc nulls last, e.created_at desc nulls last, e.event_id desc
        limit 1
    ) as attributed_source,
    -- pieces of evidence by source, and the days that they span
    jsonb_build_object(
        'rule', 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS',
        'lead_events', p.event_evidence_count,
        'module_ct_migrations', p.migration_evidence_count,
        'module_ct_scouting_daily', p.scouting_evidence_count,
        'module_ct_cabinet_payments', p.payment_evidence_count,
        'first_date', p.first_evidence_date,
        'last_date', p.last_evidence_date
    ) as evidence
from scout.v_persons_now as p
cross join lateral scout.unlisted(p.event_scout_min) as u
where p.reason_code = 'WAITING_FOR_NEXT_RUN' and not u.is_unlisted;
