-- The audit tables in the owner's schema ops. A table of an older shape is extended, never dropped.

create table if not exists ops.identity_links_backfill_audit (
    id bigint generated always as identity primary key,
    source_table text not null,
    source_pk text not null,
    action_type text not null check (action_type in ('CREATED', 'AMBIGUOUS', 'SKIPPED', 'REVERTED'))
);
alter table ops.identity_links_backfill_audit
add column if not exists person_key uuid,
add column if not exists driver_id text,
add column if not exists match_method text,
add column if not exists match_confidence text,
add column if not exists match_score integer,
add column if not exists evidence_json jsonb,
add column if not exists backfill_timestamp timestamptz not null default clock_timestamp(),
add column if not exists ingestion_run_id integer,
add column if not exists actor text,
add column if not exists notes text;
-- serves: the audit of a run; the audit of a source row
create index if not exists scout_identity_links_audit_run on ops.identity_links_backfill_audit (ingestion_run_id);
create index if not exists scout_identity_links_audit_row on ops.identity_links_backfill_audit (source_pk);
comment on table ops.identity_links_backfill_audit is
'One row per link that a run made, took back or could not make (append-only). Keys, rules and counts, no personal data.';

create table if not exists ops.lead_ledger_scout_backfill_audit (
    id bigint generated always as identity primary key,
    person_key uuid not null
);
alter table ops.lead_ledger_scout_backfill_audit
add column if not exists old_attributed_scout_id integer,
add column if not exists new_attributed_scout_id integer,
add column if not exists attribution_rule_old text,
add column if not exists attribution_rule_new text,
add column if not exists attribution_confidence_old text,
add column if not exists attribution_confidence_new text,
add column if not exists evidence_json_old jsonb,
add column if not exists evidence_json_new jsonb,
add column if not exists backfill_method text,
add column if not exists backfill_timestamp timestamptz not null default clock_timestamp(),
add column if not exists ingestion_run_id integer,
add column if not exists actor text,
add column if not exists notes text,
add column if not exists is_new_row boolean,
add column if not exists attributed_source_old text,
add column if not exists attributed_source_new text,
add column if not exists attribution_score_old numeric,
add column if not exists attribution_score_new numeric,
add column if not exists decision_status_old text,
add column if not exists decision_status_new text,
add column if not exists updated_at_old timestamptz,
add column if not exists updated_at_new timestamptz;
-- serves: who wrote the ledger's scout of a person; the audit of a run; rows that no seal covers yet
create index if not exists scout_lead_ledger_audit_person on ops.lead_ledger_scout_backfill_audit (person_key, id desc);
create index if not exists scout_lead_ledger_audit_run on ops.lead_ledger_scout_backfill_audit (ingestion_run_id);
create index if not exists scout_lead_ledger_audit_external on ops.lead_ledger_scout_backfill_audit (id)
where ingestion_run_id is null;
comment on table ops.lead_ledger_scout_backfill_audit is
'One row per change of a scout in the ledger, by a run of ours or by somebody else (append-only), with the true old and new values.';
comment on column ops.lead_ledger_scout_backfill_audit.backfill_method is
'BACKFILL_SINGLE_SCOUT_FROM_EVENTS, MANUAL_DECISION, EXTERNAL_CHANGE (written by somebody else, noted by trigger) or REVERT.';
comment on column ops.lead_ledger_scout_backfill_audit.is_new_row is 'True when the ledger had no row for the person before.';

create table if not exists ops.lead_events_scout_backfill_audit (
    id bigint generated always as identity primary key,
    lead_event_id integer
);
alter table ops.lead_events_scout_backfill_audit
add column if not exists person_key uuid,
add column if not exists old_scout_id integer,
add column if not exists new_scout_id integer,
add column if not exists source_table text,
add column if not exists source_pk text,
add column if not exists backfill_method text,
add column if not exists backfill_timestamp timestamptz not null default clock_timestamp(),
add column if not exists ingestion_run_id integer,
add column if not exists actor text,
add column if not exists notes text;
-- serves: the audit of a run
create index if not exists scout_lead_events_audit_run on ops.lead_events_scout_backfill_audit (ingestion_run_id);
comment on table ops.lead_events_scout_backfill_audit is
'One row per scout written to an event (append-only). Stands ready for a verified one-to-one mapping; nothing infers one today.';

create table if not exists ops.job_runs_audit (
    id bigint generated always as identity primary key,
    ingestion_run_id integer not null
);
alter table ops.job_runs_audit
add column if not exists event text,
add column if not exists step text,
add column if not exists details jsonb,
add column if not exists actor text,
add column if not exists recorded_at timestamptz not null default clock_timestamp();
-- serves: the log of a run
create index if not exists scout_job_runs_audit_run on ops.job_runs_audit (ingestion_run_id);
comment on table ops.job_runs_audit is
'One row per start, step, batch and end of a run (append-only). event: STARTED, STEP, BATCH, COMPLETED, FAILED.';

create table scout.seals (
    seal_no bigint generated always as identity primary key,
    run_id integer not null unique,
    row_count bigint not null,
    covered_run_ids integer[] not null,
    external_audit_ids bigint[] not null,
    content_hash text not null,
    previous_hash text not null,
    seal_hash text not null,
    sealed_at timestamptz not null default clock_timestamp()
);
comment on table scout.seals is 'One row per run: sha256 over its audit rows, chained to the seal before (append-only). verify recomputes it.';
comment on column scout.seals.covered_run_ids is 'The run itself, and runs that died after they had committed batches, which no seal covered yet.';
comment on column scout.seals.external_audit_ids is 'Rows of ops.lead_ledger_scout_backfill_audit without a run (EXTERNAL_CHANGE) that this seal covers for the first time.';
comment on column scout.seals.previous_hash is 'seal_hash of the seal before; empty for the first.';

create function scout.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog
as $$
begin
    raise exception '%.% is append-only: % refused. Add a row that corrects the old one.', tg_table_schema, tg_table_name, tg_op
        using errcode = 'insufficient_privilege';
end
$$;
comment on function scout.refuse_change() is 'Refuses UPDATE, DELETE and TRUNCATE of an append-only table.';

create trigger scout_append_only before update or delete or truncate on ops.identity_links_backfill_audit
for each statement execute function scout.refuse_change();
create trigger scout_append_only before update or delete or truncate on ops.lead_ledger_scout_backfill_audit
for each statement execute function scout.refuse_change();
create trigger scout_append_only before update or delete or truncate on ops.lead_events_scout_backfill_audit
for each statement execute function scout.refuse_change();
create trigger scout_append_only before update or delete or truncate on ops.job_runs_audit
for each statement execute function scout.refuse_change();
create trigger scout_append_only before update or delete or truncate on scout.seals
for each statement execute function scout.refuse_change();
create trigger scout_append_only before update or delete or truncate on scout.decisions
for each statement execute function scout.refuse_change();
-- always: also while session_replication_role = replica
create trigger scout_append_only before update or delete or truncate on scout.runs
for each statement execute function scout.refuse_change();
alter table ops.identity_links_backfill_audit enable always trigger scout_append_only;
alter table ops.lead_ledger_scout_backfill_audit enable always trigger scout_append_only;
alter table ops.lead_events_scout_backfill_audit enable always trigger scout_append_only;
alter table ops.job_runs_audit enable always trigger scout_append_only;
alter table scout.seals enable always trigger scout_append_only;
alter table scout.decisions enable always trigger scout_append_only;
alter table scout.runs enable always trigger scout_append_only;

create function scout.record_external_change() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    -- A run of ours writes its own audit row, in the statement that writes the ledger. That it is ours is told
    -- by its role too, for anybody can set the variable.
    if coalesce(current_setting('scout.run_id', true), '') <> ''
        and (
            current_setting('role') = 'scout_writer'
            or pg_has_role(
                coalesce(nullif(current_setting('role'), 'none'), session_user),
                (select n.nspowner from pg_namespace as n where n.nspname = 'scout'),
                'MEMBER'
            )
        )
    then
        return null;
    end if;
    if tg_op = 'TRUNCATE' then
        insert into ops.lead_ledger_scout_backfill_audit (
            person_key, old_attributed_scout_id, attribution_rule_old, attribution_confidence_old, evidence_json_old,
            backfill_method, actor, is_new_row, attributed_source_old, attribution_score_old, decision_status_old, updated_at_old
        )
        select
            l.person_key, l.attributed_scout_id, l.attribution_rule, l.confidence_level::text, l.evidence_json,
            'EXTERNAL_CHANGE', session_user, false, l.attributed_source, l.attribution_score, l.decision_status::text, l.updated_at
        from observational.lead_ledger as l
        where l.attributed_scout_id is not null;
    elsif tg_op = 'INSERT' then
        insert into ops.lead_ledger_scout_backfill_audit (
            person_key, new_attributed_scout_id, attribution_rule_new, attribution_confidence_new,
            backfill_method, actor, is_new_row, attributed_source_new, attribution_score_new, decision_status_new, updated_at_new
        )
        select
            n.person_key, n.attributed_scout_id, n.attribution_rule, n.confidence_level::text,
            'EXTERNAL_CHANGE', session_user, true, n.attributed_source, n.attribution_score, n.decision_status::text, n.updated_at
        from new_rows as n
        where n.attributed_scout_id is not null;
    elsif tg_op = 'DELETE' then
        insert into ops.lead_ledger_scout_backfill_audit (
            person_key, old_attributed_scout_id, attribution_rule_old, attribution_confidence_old, evidence_json_old,
            backfill_method, actor, is_new_row, attributed_source_old, attribution_score_old, decision_status_old, updated_at_old
        )
        select
            o.person_key, o.attributed_scout_id, o.attribution_rule, o.confidence_level::text, o.evidence_json,
            'EXTERNAL_CHANGE', session_user, false, o.attributed_source, o.attribution_score, o.decision_status::text, o.updated_at
        from old_rows as o
        where o.attributed_scout_id is not null;
    else
        insert into ops.lead_ledger_scout_backfill_audit (
            person_key, old_attributed_scout_id, new_attributed_scout_id,
            attribution_rule_old, attribution_rule_new, attribution_confidence_old, attribution_confidence_new,
            evidence_json_old, backfill_method, actor, is_new_row,
            attributed_source_old, attributed_source_new, attribution_score_old, attribution_score_new,
            decision_status_old, decision_status_new, updated_at_old, updated_at_new
        )
        select
            coalesce(n.person_key, o.person_key), o.attributed_scout_id, n.attributed_scout_id,
            o.attribution_rule, n.attribution_rule, o.confidence_level::text, n.confidence_level::text,
            o.evidence_json, 'EXTERNAL_CHANGE', session_user, o.person_key is null,
            o.attributed_source, n.attributed_source, o.attribution_score, n.attribution_score,
            o.decision_status::text, n.decision_status::text, o.updated_at, n.updated_at
        from old_rows as o
        full join new_rows as n using (person_key)
        where o.attributed_scout_id is distinct from n.attributed_scout_id;
    end if;
    return null;
end
$$;
comment on function scout.record_external_change() is
'Statement trigger of the ledger: one EXTERNAL_CHANGE audit row per scout that somebody other than a run of ours set, changed or erased.';
