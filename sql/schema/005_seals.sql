-- What a seal says. Null columns are left out of the text, so that a column that a later version adds
-- does not change what older seals cover.

create function scout.audit_content(sealed_run_id integer, external_audit_ids bigint[])
returns table (row_count bigint, content_hash text)
language sql stable
set timezone = 'UTC' set datestyle = 'ISO, YMD' set extra_float_digits = 1 set search_path = pg_catalog
as $$
    select
        count(*),
        encode(sha256(coalesce(string_agg(a.row_hash, ''::bytea order by a.table_name, a.id), ''::bytea)), 'hex')
    from (
        select
            'identity_links_backfill_audit' as table_name,
            l.id,
            sha256(convert_to(jsonb_strip_nulls(to_jsonb(l))::text, 'UTF8')) as row_hash
        from ops.identity_links_backfill_audit as l
        where l.ingestion_run_id = sealed_run_id
        union all
        select
            'lead_ledger_scout_backfill_audit',
            l.id,
            sha256(convert_to(jsonb_strip_nulls(to_jsonb(l))::text, 'UTF8'))
        from ops.lead_ledger_scout_backfill_audit as l
        where l.ingestion_run_id = sealed_run_id or (l.ingestion_run_id is null and l.id = any(external_audit_ids))
        union all
        select
            'lead_events_scout_backfill_audit',
            l.id,
            sha256(convert_to(jsonb_strip_nulls(to_jsonb(l))::text, 'UTF8'))
        from ops.lead_events_scout_backfill_audit as l
        where l.ingestion_run_id = sealed_run_id
        union all
        select
            'decisions',
            d.decision_id,
            sha256(convert_to(jsonb_strip_nulls(to_jsonb(d))::text, 'UTF8'))
        from scout.decisions as d
        where d.run_id = sealed_run_id
    ) as a
$$;
comment on function scout.audit_content(integer, bigint[]) is
'How many audit rows and decisions a run wrote (with the given rows of others) and the sha256 over the sha256 of each, by table and id.';

create function scout.seal_hash(sealed_run_id integer, row_count bigint, content_hash text, previous_hash text) returns text
language sql immutable
as $$
    select encode(sha256(convert_to(
        concat_ws('|', sealed_run_id, row_count, content_hash, previous_hash), 'UTF8'
    )), 'hex')
$$;
comment on function scout.seal_hash(integer, bigint, text, text) is 'sha256 that chains a run''s content to the seal before.';
