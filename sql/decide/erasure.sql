-- name: plan
-- One row: what an erasure of the person finds now, as counts. person_count 0 = nobody is registered under the key.
select
    (
        select count(*) from canon.identity_registry as r
        where r.person_key = cast(:person_key as uuid)
    ) as person_count,
    (
        select max(e.erased_at) from scout.erased_persons as e
        where e.person_key = cast(:person_key as uuid)
    ) as erased_at,
    (
        select count(*) from scout.src_registry_identifiers as r
        where r.person_key = cast(:person_key as uuid)
            and coalesce(r.phone, r.license, r.document, r.full_name) is not null
    ) as registry_rows,
    (
        select count(*) from observational.lead_ledger as l
        where l.person_key = cast(:person_key as uuid) and not scout.is_audit_evidence(l.evidence_json::jsonb)
    ) as ledger_rows,
    (
        select count(*) from scout.ledger_evidence_kept as k
        inner join ops.lead_ledger_scout_backfill_audit as a on a.id = k.audit_id
        where a.person_key = cast(:person_key as uuid)
    ) as kept_evidence,
    (
        select count(*) from scout.data_quality_issues as q
        where q.raw_excerpt is not null
            and (
                q.person_key = cast(:person_key as uuid)
                or (q.source_table, q.source_pk) in (
                    select s.source_table, s.source_pk from scout.v_person_source_rows as s
                    where s.person_key = cast(:person_key as uuid)
                )
            )
    ) as excerpts,
    (
        select count(*) from scout.quality_rows as q
        where q.detail <> 'erased'
            and (
                q.person_key = cast(:person_key as uuid)
                or (q.source_table, q.source_pk) in (
                    select s.source_table, s.source_pk from scout.v_person_source_rows as s
                    where s.person_key = cast(:person_key as uuid)
                )
            )
    ) as quality_rows,
    (
        select count(*) from canon.identity_unmatched as u
        inner join scout.v_person_source_rows as s
            on s.source_pk = u.source_pk and s.source_table = 'public.' || u.source_table
        where s.person_key = cast(:person_key as uuid)
            and (
                coalesce(u.details, '{}') <> coalesce(scout.audited_link_evidence(u.details), '{}')
                or u.candidates_preview <> (
                    select to_jsonb(c.candidate_person_keys) from scout.src_unmatched as c
                    where c.unmatched_id = u.id
                )
            )
    ) as unmatched_rows,
    (
        select count(*) from scout.v_person_source_rows as s
        where s.person_key = cast(:person_key as uuid)
            and s.tie = 'SAME_KEY'
            and not exists (
                select from scout.v_held_rows as h
                where h.source_table = 'module_ct_scouting_daily' and h.source_pk = s.source_pk
            )
    ) as held_rows;

-- name: left
-- One row per row that names the person and that the product cannot erase: the owner's sources, and audit rows of
-- before that hold evidence whole. what: ROW (delete it, or empty its phone, licence and name), PAYLOAD, EVIDENCE,
-- AUDIT (sealed, stays).
select
    s.source_table,
    s.source_pk,
    case s.tie when 'EVENT' then 'PAYLOAD' else 'ROW' end as what
from scout.v_person_source_rows as s
where s.person_key = cast(:person_key as uuid)
union
select
    'canon.identity_links' as source_table,
    k.id::text as source_pk,
    'EVIDENCE' as what
from canon.identity_links as k
where k.person_key = cast(:person_key as uuid)
    and coalesce(k.evidence::jsonb, '{}') <> coalesce(scout.audited_link_evidence(k.evidence::jsonb), '{}')
union
select
    'ops.lead_ledger_scout_backfill_audit' as source_table,
    a.id::text as source_pk,
    'AUDIT' as what
from ops.lead_ledger_scout_backfill_audit as a
cross join lateral (values (a.evidence_json_old), (a.evidence_json_new)) as v (evidence)
where a.person_key = cast(:person_key as uuid)
    and not scout.is_audit_evidence(
        case jsonb_typeof(v.evidence) when 'object' then v.evidence - 'left_out_sha256' else v.evidence end
    )
order by source_table, source_pk
limit :row_limit;

-- name: notes
-- One row: runs whose reason, and decisions whose note, somebody wrote about the person; sealed, they stay as they are.
select
    array(
        select distinct r.run_id
        from scout.runs as r
        where r.reason is not null
            and r.run_id in (
                select d.run_id from scout.decisions as d
                where d.person_key = cast(:person_key as uuid)
                union
                select h.run_id from scout.holds as h
                where h.person_key = cast(:person_key as uuid)
                union
                select h.release_run_id from scout.holds as h
                where h.person_key = cast(:person_key as uuid)
                union
                select a.ingestion_run_id from ops.identity_links_backfill_audit as a
                where a.person_key = cast(:person_key as uuid) and a.match_method like 'REVIEW_%'
            )
        order by r.run_id
    ) as run_ids;
