-- What a seal says. The columns are named one by one, so that one that a later version adds does not change
-- what older seals cover; a row's text is several times cheaper than its jsonb.

create function scout.audit_content(run_ids integer[], external_audit_ids bigint[])
returns table (row_count bigint, content_hash text)
language sql stable
set timezone = 'UTC' set datestyle = 'ISO, YMD' set extra_float_digits = 1 set search_path = pg_catalog
as $$
    select
        count(*) filter (where a.table_name not in ('job_runs_audit', 'runs')),
        encode(sha256(coalesce(string_agg(a.row_hash, ''::bytea order by a.table_name, a.id), ''::bytea)), 'hex')
    from (
        select
            'identity_links_backfill_audit' as table_name,
            l.id,
            sha256(convert_to(row(
                l.id, l.source_table, l.source_pk, l.person_key, l.driver_id, l.match_method, l.match_confidence, l.match_score,
                l.evidence_json, l.action_type, l.backfill_timestamp, l.ingestion_run_id, l.actor, l.notes
            )::text, 'UTF8')) as row_hash
        from ops.identity_links_backfill_audit as l
        where l.ingestion_run_id = any(run_ids)
        union all
        select
            'lead_ledger_scout_backfill_audit',
            l.id,
            sha256(convert_to(row(
                l.id, l.person_key, l.old_attributed_scout_id, l.new_attributed_scout_id, l.attribution_rule_old,
                l.attribution_rule_new, l.attribution_confidence_old, l.attribution_confidence_new, l.evidence_json_old,
                l.evidence_json_new, l.backfill_method, l.backfill_timestamp, l.ingestion_run_id, l.actor, l.notes,
                l.is_new_row, l.attributed_source_old, l.attributed_source_new, l.attribution_score_old,
                l.attribution_score_new, l.decision_status_old, l.decision_status_new, l.updated_at_old, l.updated_at_new
            )::text, 'UTF8'))
        from ops.lead_ledger_scout_backfill_audit as l
        where l.ingestion_run_id = any(run_ids) or (l.ingestion_run_id is null and l.id = any(external_audit_ids))
        union all
        select
            'lead_events_scout_backfill_audit',
            l.id,
            sha256(convert_to(row(
                l.id, l.lead_event_id, l.person_key, l.old_scout_id, l.new_scout_id, l.source_table, l.source_pk,
                l.backfill_method, l.backfill_timestamp, l.ingestion_run_id, l.actor, l.notes
            )::text, 'UTF8'))
        from ops.lead_events_scout_backfill_audit as l
        where l.ingestion_run_id = any(run_ids)
        union all
        -- the end of a run is written with its seal, or after it
        select
            'job_runs_audit',
            l.id,
            sha256(convert_to(row(
                l.id, l.ingestion_run_id, l.event, l.step, l.details, l.actor, l.recorded_at
            )::text, 'UTF8'))
        from ops.job_runs_audit as l
        where l.ingestion_run_id = any(run_ids) and l.event in ('STARTED', 'STEP', 'BATCH')
        union all
        select
            'runs',
            u.run_id,
            sha256(convert_to(row(
                u.run_id, u.kind, u.trigger, u.actor, u.reason, u.request_id, u.is_forced, u.host, u.process_id,
                u.version, u.requested_at
            )::text, 'UTF8'))
        from scout.runs as u
        where u.run_id = any(run_ids)
        union all
        select
            'decisions',
            d.decision_id,
            sha256(convert_to(row(
                d.decision_id, d.person_key, d.outcome, d.scout_id, d.considered_scout_ids, d.reason_code, d.note, d.actor,
                d.run_id, d.ledger_scout_id_before, d.decided_at
            )::text, 'UTF8'))
        from scout.decisions as d
        where d.run_id = any(run_ids)
    ) as a
$$;
comment on function scout.audit_content(integer[], bigint[]) is
'How many audit rows and decisions the runs wrote (with the given rows of others), and the sha256 over the sha256 of each and of who ran and how, by table and id.';

create function scout.seal_hash(sealed_run_id integer, row_count bigint, content_hash text, previous_hash text) returns text
language sql immutable
as $$
    select encode(sha256(convert_to(
        concat_ws('|', sealed_run_id, row_count, content_hash, previous_hash), 'UTF8'
    )), 'hex')
$$;
comment on function scout.seal_hash(integer, bigint, text, text) is 'sha256 that chains a run''s content to the seal before.';
