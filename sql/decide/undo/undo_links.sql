-- Takes away the links of one range of a run's audit rows, where they are still those, gives back those that it moved,
-- opens their unmatched rows again, holds the source rows; takes back what was set aside as nobody. With the audit.
-- One row: how many.
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

back as materialized (
    select m.*
    from deleted as d
    inner join scout.moved_links as m
        on m.run_id = :target_run_id and m.source_table = d.source_table and m.source_pk = d.source_pk
    where exists (select from canon.identity_registry as r where r.person_key = m.person_key)
),

-- a link of the owner's is theirs again; what we made is ours, by this run
given_back as (
    insert into canon.identity_links (
        person_key, source_table, source_pk, snapshot_date, match_rule, match_score, confidence_level, evidence, linked_at, run_id
    )
    select
        b.person_key,
        b.source_table,
        b.source_pk,
        b.snapshot_date,
        b.match_rule,
        b.match_score,
        b.confidence_level::public.confidencelevel,
        b.evidence,
        b.linked_at,
        case when b.link_run_id in (select r.run_id from scout.runs as r) then :run_id else b.link_run_id end
    from back as b
    returning source_table, source_pk, person_key, match_rule, match_score, confidence_level::text as confidence_level, evidence, run_id
),

said as (
    update scout.linked_rows as r
    set content = b.content
    from back as b
    where r.source_table = b.source_table and r.source_pk = b.source_pk and b.content is not null
    returning r.source_pk
),

unsaid as (
    delete from scout.linked_rows as r
    using deleted as d
    where r.source_table = d.source_table
        and r.source_pk = d.source_pk
        and d.source_pk not in (select b.source_pk from back as b where b.content is not null)
    returning r.source_pk
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

taken_up_contents as (
    delete from scout.ignored_rows as i
    using taken_up as t
    where i.source_table = t.source_table and i.source_pk = t.source_pk
    returning i.source_pk
),

-- the trigger takes what a run writes there for its verdict; this is for the next run to judge
noted as (
    insert into scout.pending_persons (source_table, source_pk)
    select
        t.source_table,
        i.source_pk
    from taken_up as t
    inner join scout.v_ignored_rows as i on i.source_table = t.source_table and i.ignored_pk = t.source_pk
    union all
    select
        t.source_table,
        t.source_pk
    from taken_up as t
    returning 1
),

-- what is taken back comes before what is given back
audited as (
    insert into ops.identity_links_backfill_audit (
        source_table, source_pk, person_key, driver_id, match_method, match_confidence, match_score, evidence_json,
        action_type, ingestion_run_id, actor, notes
    )
    select
        a.source_table,
        a.source_pk,
        a.person_key,
        a.driver_id,
        a.match_rule,
        a.confidence_level,
        a.match_score,
        a.evidence,
        a.action_type,
        :run_id,
        :actor,
        a.notes
    from (
        select
            d.source_table,
            d.source_pk,
            d.person_key,
            d.evidence ->> 'driver_id' as driver_id,
            d.match_rule::text as match_rule,
            d.confidence_level,
            d.match_score,
            scout.audited_link_evidence(d.evidence) as evidence,
            'REVERTED' as action_type,
            'reverts audit row ' || d.audit_id || ' of run ' || cast(:target_run_id as integer) as notes
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
            'reverts audit row ' || t.audit_id || ' of run ' || cast(:target_run_id as integer)
        from taken_up as t
        union all
        select
            g.source_table,
            g.source_pk,
            g.person_key,
            g.evidence ->> 'driver_id',
            g.match_rule,
            g.confidence_level,
            g.match_score,
            scout.audited_link_evidence(g.evidence),
            'CREATED',
            'given back, as before run ' || cast(:target_run_id as integer)
        from given_back as g
        -- that of a link which is the owner's again is theirs
        where g.run_id = :run_id
    ) as a
    order by a.action_type desc
    returning action_type
),

held as (
    insert into scout.holds (subject, source_table, source_pk, held_content, reason, actor, run_id)
    select
        'source_row',
        d.source_table,
        d.source_pk,
        -- of what was linked, whatever row has the number by now
        coalesce(
            (
                select r.content from scout.linked_rows as r
                where r.source_table = d.source_table and r.source_pk = d.source_pk
            ),
            scout.content_of_row(d.source_table, d.source_pk)
        ),
        cast(:reason as text),
        :actor,
        :run_id
    from deleted as d
    where d.source_pk not in (select h.source_pk from scout.v_held_rows as h where h.source_table = 'module_ct_scouting_daily')
    returning hold_id
)

select
    (select count(*) from audited as a where a.action_type = 'REVERTED') as undone_count,
    (select count(*) from deleted) as link_count,
    (select count(*) from taken_up) as dismissal_count,
    (select count(*) from opened) as opened_count,
    (select count(*) from held) as held_count,
    (select count(*) from judged as j where j.outcome = 'CHANGED_LATER') as changed_later_count,
    (select count(*) from judged as j where j.outcome = 'ALREADY_UNDONE') as already_undone_count,
    (select count(*) from judged as j where j.outcome = 'UNDO') as wanted_count;
