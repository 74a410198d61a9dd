-- Takes away the links of one range of a run's audit rows, where they are still those, opens their unmatched rows
-- again, holds the source rows; takes back what was set aside as nobody. With the audit. One row: how many.
with judged as materialized (
    select
        v.audit_id,
        v.kind,
        v.source_table,
        v.source_pk,
        v.person_key,
        v.evidence_json,
        v.outcome
    from scout.v_undo_links as v
    where v.run_id = :target_run_id and v.audit_id > :after_id and v.audit_id <= :upto_id
),

deleted as (
    delete from canon.identity_links as k
    using judged as j
    where j.outcome = 'UNDO'
        and j.kind = 'LINK'
        and k.source_table = j.source_table
        and k.source_pk = j.source_pk
        and k.run_id = :target_run_id
        and k.person_key = j.person_key
    returning
        j.audit_id,
        j.source_table,
        j.source_pk,
        j.person_key,
        k.match_rule,
        k.match_score,
        k.confidence_level::text as confidence_level,
        k.evidence
),

opened as (
    update canon.identity_unmatched as u
    set
        status = 'OPEN',
        resolved_at = null,
        run_id = :run_id
    from deleted as d
    where u.source_table = d.source_table
        and u.source_pk = d.source_pk
        and u.status = 'RESOLVED'
        and u.run_id = :target_run_id
    returning u.id
),

taken_up as (
    update canon.identity_unmatched as u
    set
        status = 'OPEN',
        resolved_at = null,
        reason_code = coalesce(j.evidence_json ->> 'reason_before', u.reason_code),
        run_id = :run_id
    from judged as j
    where j.outcome = 'UNDO'
        and j.kind = 'DISMISSAL'
        and u.source_table = j.source_table
        and u.source_pk = j.source_pk
        and u.status = 'IGNORED'
        and u.run_id = :target_run_id
    returning j.audit_id, j.source_table, j.source_pk
),

-- the trigger takes what a run writes there for its verdict; this is for the next run to judge
noted as (
    insert into scout.pending_persons (source_table, source_pk)
    select
        t.source_table,
        t.source_pk
    from taken_up as t
    returning 1
),

audited as (
    insert into ops.identity_links_backfill_audit (
        source_table, source_pk, person_key, driver_id, match_method, match_confidence, match_score, evidence_json,
        action_type, ingestion_run_id, actor, notes
    )
    select
        d.source_table,
        d.source_pk,
        d.person_key,
        d.evidence ->> 'driver_id',
        d.match_rule,
        d.confidence_level,
        d.match_score,
        scout.audited_link_evidence(d.evidence),
        'REVERTED',
        :run_id,
        :actor,
        'reverts audit row ' || d.audit_id || ' of run ' || cast(:target_run_id as integer)
    from deleted as d
    union all
    select
        t.source_table,
        t.source_pk,
        null,
        null,
        'REVIEW_DISMISSED',
        null,
        null,
        null,
        'REVERTED',
        :run_id,
        :actor,
        'reverts audit row ' || t.audit_id || ' of run ' || cast(:target_run_id as integer)
    from taken_up as t
    returning id
),

held as (
    insert into scout.holds (subject, source_table, source_pk, reason, actor, run_id)
    select
        'source_row',
        d.source_table,
        d.source_pk,
        cast(:reason as text),
        :actor,
        :run_id
    from deleted as d
    where not exists (
        select from scout.holds as h
        where h.source_table = d.source_table and h.source_pk = d.source_pk and h.released_at is null
    )
    returning hold_id
)

select
    (select count(*) from audited) as undone_count,
    (select count(*) from deleted) as link_count,
    (select count(*) from taken_up) as dismissal_count,
    (select count(*) from opened) as opened_count,
    (select count(*) from held) as held_count,
    (select count(*) from judged as j where j.outcome = 'CHANGED_LATER') as changed_later_count,
    (select count(*) from judged as j where j.outcome = 'ALREADY_UNDONE') as already_undone_count,
    (select count(*) from judged as j where j.outcome = 'UNDO') as wanted_count;
