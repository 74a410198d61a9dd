-- Erases what the product may erase of a person: evidence of the owner in the ledger and what was kept of it, excerpts
-- of bad values, details of rows that could not be linked. Scout, dates and audit stay. One row: how many of each.
with source_rows as materialized (
    select
        s.source_table,
        s.source_pk
    from scout.v_person_source_rows as s
    where s.person_key = cast(:person_key as uuid)
),

ledger as materialized (
    select
        l.person_key,
        scout.audited_evidence(l.evidence_json, gen_random_uuid()) - 'left_out_sha256' as evidence
    from observational.lead_ledger as l
    where l.person_key = cast(:person_key as uuid) and not scout.is_audit_evidence(l.evidence_json)
),

updated as (
    update observational.lead_ledger as l
    set evidence_json = o.evidence
    from ledger as o
    where l.person_key = o.person_key
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

-- of what went not even a hash: nobody could check it
audited as (
    insert into ops.lead_ledger_scout_backfill_audit (
        person_key, old_attributed_scout_id, new_attributed_scout_id, attribution_rule_old, attribution_rule_new,
        attribution_confidence_old, attribution_confidence_new, evidence_json_old, evidence_json_new, backfill_method,
        ingestion_run_id, actor, is_new_row, attributed_source_old, attributed_source_new, attribution_score_old,
        attribution_score_new, decision_status_old, decision_status_new, updated_at_old, updated_at_new
    )
    select
        u.person_key, u.attributed_scout_id, u.attributed_scout_id, u.attribution_rule, u.attribution_rule,
        u.confidence_level, u.confidence_level, u.evidence_json || '{"left_out_sha256": null}', u.evidence_json, 'ERASURE',
        :run_id, :actor, false, u.attributed_source, u.attributed_source, u.attribution_score,
        u.attribution_score, u.decision_status, u.decision_status, u.updated_at, u.updated_at
    from updated as u
    returning id
),

forgotten as (
    delete from scout.ledger_evidence_kept as k
    using ops.lead_ledger_scout_backfill_audit as a
    where a.id = k.audit_id and a.person_key = cast(:person_key as uuid)
    returning k.audit_id
),

excerpts as (
    update scout.data_quality_issues as q
    set raw_excerpt = null
    where q.raw_excerpt is not null
        and (
            q.person_key = cast(:person_key as uuid)
            or (q.source_table, q.source_pk) in (select s.source_table, s.source_pk from source_rows as s)
        )
    returning q.issue_id
),

found_rows as (
    update scout.quality_rows as q
    set detail = 'erased'
    where q.detail <> 'erased'
        and (
            q.person_key = cast(:person_key as uuid)
            or (q.source_table, q.source_pk) in (select s.source_table, s.source_pk from source_rows as s)
        )
    returning q.row_id
),

unmatched as (
    update canon.identity_unmatched as u
    set
        details = scout.audited_link_evidence(u.details),
        candidates_preview = to_jsonb(c.candidate_person_keys)
    from source_rows as s
    inner join scout.src_unmatched as c on s.source_table = 'public.' || c.source_table and s.source_pk = c.source_pk
    where c.unmatched_id = u.id
        and (
            coalesce(u.details, '{}') <> coalesce(scout.audited_link_evidence(u.details), '{}')
            or u.candidates_preview <> to_jsonb(c.candidate_person_keys)
        )
    returning u.id
),

-- its links from before they were moved; what its rows said stays, as a hash that nobody can guess: without it the
-- links would hold whatever other row gets their number
moved as (
    delete from scout.moved_links as m
    where m.person_key = cast(:person_key as uuid)
    returning m.source_pk
),

-- a plan that a dead run left
planned as (
    delete from scout.planned_links as p
    where p.person_key = cast(:person_key as uuid)
        or exists (
            select from scout.v_person_keys as k
            where k.person_key = cast(:person_key as uuid)
                and (k.license_key = p.license_key or k.phone_key = p.phone_key)
        )
    returning 1
),

erased as (
    insert into scout.erased_persons (run_id, person_key)
    values (:run_id, cast(:person_key as uuid))
    returning person_key
),

-- what is settled of the person is reckoned anew, without licence and phone
noted as (
    insert into scout.pending_persons (person_key)
    select e.person_key from erased as e
    returning 1
)

select
    (select count(*) from audited) as ledger_rows,
    (select count(*) from forgotten) as kept_evidence,
    (select count(*) from excerpts) as excerpts,
    (select count(*) from found_rows) as quality_rows,
    (select count(*) from unmatched) as unmatched_rows,
    (select count(*) from planned) as planned_rows;
