-- Seals cover all that only grows: besides the audit of runs also exports, refusals, alerts, messages and their
-- delivery, health, results of the source checks, tokens, and how each run ended. What comes between runs, or cannot
-- be sealed by its own run, waits in scout.unsealed_rows; a refresh seals it.

-- First of all, in the order in which runs take their locks: who writes there now is waited for, so that each row is
-- either seen below or noted. Two seconds at a time, as others wait behind whoever waits.
do $$
begin
    for attempt in 1..20 loop
        begin
            set local lock_timeout = '2s';
            lock table
                ops.lead_ledger_scout_backfill_audit,
                scout.health_changes,
                scout.alert_events,
                scout.outbox,
                ops.job_runs_audit,
                scout.quality_results,
                scout.delivery_log,
                scout.denials,
                scout.export_audit,
                scout.api_tokens,
                scout.unsealed_rows,
                scout.seals
            in share row exclusive mode;
            exit;
        exception when lock_not_available or deadlock_detected then
            if attempt = 20 then
                raise;
            end if;
        end;
        perform pg_sleep(1);
    end loop;
end
$$;

create table scout.token_events (
    event_id bigint generated always as identity primary key,
    token_id text not null,
    event text not null check (event in ('CREATED', 'REVOKED')),
    name text,
    role text,
    actions text[],
    secret_hash bytea,
    expires_at timestamptz,
    actor text not null,
    at timestamptz not null,
    -- serves: a token is made once and revoked once; the life of a token
    unique (token_id, event),
    check ((event = 'CREATED') = (name is not null and role is not null and secret_hash is not null and expires_at is not null))
);
comment on table scout.token_events is
'One row per token of the API that was made or revoked (append-only), written by the statement that did it. scout.api_tokens must say the same.';
comment on column scout.token_events.name is 'This and the next columns as scout.api_tokens has them; null when REVOKED.';
comment on column scout.token_events.at is 'created_at or revoked_at of the token.';

insert into scout.token_events (token_id, event, name, role, actions, secret_hash, expires_at, actor, at)
select
    e.token_id,
    e.event,
    e.name,
    e.role,
    e.actions,
    e.secret_hash,
    e.expires_at,
    e.actor,
    e.at
from (
    select t.token_id, 'CREATED', t.name, t.role, t.actions, t.secret_hash, t.expires_at, t.created_by, t.created_at
    from scout.api_tokens as t
    union all
    select t.token_id, 'REVOKED', null, null, null, null, null, t.revoked_by, t.revoked_at
    from scout.api_tokens as t
    where t.revoked_at is not null
) as e (token_id, event, name, role, actions, secret_hash, expires_at, actor, at)
order by e.at;

create trigger scout_append_only before update or delete or truncate on scout.token_events
for each statement execute function scout.refuse_change();
alter table scout.token_events enable always trigger scout_append_only;

-- serves: what a run wrote there, when it is sealed
create index alert_events_run on scout.alert_events (run_id) where run_id is not null;
create index health_changes_run on scout.health_changes (run_id) where run_id is not null;

alter table scout.seals
add column form_no smallint not null default 1,
add column covered_rows jsonb not null default '{}';
alter table scout.seals
alter column form_no set default 2,
alter column external_audit_ids set default '{}';
comment on table scout.seals is
'One row per run, and before a refresh per part of what waited: sha256 over rows that only grow, chained to the seal before (append-only). verify recomputes it.';
comment on column scout.seals.covered_run_ids is
'The run itself; or runs that failed, sealed by the refresh after them; or none. A seal covers all that these runs wrote.';
comment on column scout.seals.external_audit_ids is
'Only in seals of form 1: rows of ops.lead_ledger_scout_backfill_audit without a run (EXTERNAL_CHANGE).';
comment on column scout.seals.form_no is
'What the seal covers and how it is hashed: 1 as in scout.v_sealed_rows_1; 2 as in scout.v_sealed_rows, and every column of the seal itself.';
comment on column scout.seals.covered_rows is 'Numbers of the other rows that it covers, by table.';

-- the same as before, read from the view, which verify has from its file
-- A seal covers bytes. In a database in SQL_ASCII a text may hold bytes that are no UTF-8, and to make UTF-8 of it is an
-- error, which would stop every run that copied such a text into the audit. There the bytes are taken as they are: for
-- all that is UTF-8 they are the same ones, so older seals hold.
create function scout.utf8_bytes(content text) returns bytea
language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$ select convert_to(content, case getdatabaseencoding() when 'SQL_ASCII' then 'SQL_ASCII' else 'UTF8' end) $$;
comment on function scout.utf8_bytes(text) is
'The text in UTF-8, as seals hash it; in a database in SQL_ASCII its bytes as they are.';

create or replace function scout.audit_content(run_ids integer[], external_audit_ids bigint[])
returns table (row_count bigint, content_hash text)
language plpgsql stable rows 1
set timezone = 'UTC' set datestyle = 'ISO, YMD' set extra_float_digits = 1 set plan_cache_mode = force_custom_plan
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select
        count(*) filter (where a.table_name not in ('job_runs_audit', 'runs')),
        encode(sha256(coalesce(
            string_agg(sha256(scout.utf8_bytes(a.row_text)), ''::bytea order by a.table_name collate "C", a.id), ''::bytea
        )), 'hex')
    from (
        select r.table_name, r.id, r.row_text
        from scout.v_sealed_rows_1 as r
        where r.run_id = any(run_ids)
        union all
        select r.table_name, r.id, r.row_text
        from scout.v_sealed_rows_1 as r
        where r.table_name = 'lead_ledger_scout_backfill_audit' and r.run_id is null and r.id = any(external_audit_ids)
    ) as a;
end
$$;
comment on function scout.audit_content(integer[], bigint[]) is
'What seals of form 1 cover: how many audit rows and decisions, and the sha256 over the sha256 of each and of who ran and how, by table and id.';

create function scout.seal_text(seal scout.seals) returns text
language sql stable
set timezone = 'UTC' set datestyle = 'ISO, YMD' set search_path = pg_catalog, pg_temp
as $$
    select row(
        seal.seal_no, seal.form_no, seal.run_id, seal.row_count, seal.covered_run_ids, seal.external_audit_ids,
        seal.covered_rows, seal.content_hash, seal.previous_hash, seal.sealed_at
    )::text
$$;
comment on function scout.seal_text(scout.seals) is 'All of a seal but its own hash, which is the sha256 of this from form 2 on.';

create function scout.chain_seal() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    new.previous_hash := coalesce((
        select s.seal_hash from scout.seals as s
        order by s.seal_no desc
        limit 1
    ), '');
    new.seal_hash := encode(sha256(scout.utf8_bytes(scout.seal_text(new))), 'hex');
    return new;
end
$$;
comment on function scout.chain_seal() is 'Row trigger of scout.seals: chains a new seal to the newest. The lock of the chain is taken before.';

create trigger scout_chain before insert on scout.seals
for each row when (new.form_no > 1) execute function scout.chain_seal();

-- plpgsql: the view is made after the schema files
create function scout.run_contents(run_ids integer[])
returns table (run_id integer, row_count bigint, content_hash text)
language plpgsql stable rows 10
set timezone = 'UTC' set datestyle = 'ISO, YMD' set extra_float_digits = 1 set plan_cache_mode = force_custom_plan
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select
        t.run_id,
        coalesce(sum(t.row_count) filter (where t.is_audit), 0)::bigint,
        encode(sha256(convert_to(
            string_agg(concat_ws('|', t.table_name, t.row_count, t.rows_hash), e'\n' order by t.table_name collate "C"), 'UTF8'
        )), 'hex')
    from (
        select
            r.run_id,
            r.table_name,
            r.table_name in (
                'ops.identity_links_backfill_audit', 'ops.lead_ledger_scout_backfill_audit',
                'ops.lead_events_scout_backfill_audit', 'scout.decisions'
            ) as is_audit,
            count(*) as row_count,
            encode(sha256(string_agg(sha256(scout.utf8_bytes(r.row_text)), ''::bytea order by r.id)), 'hex') as rows_hash
        from scout.v_sealed_rows as r
        where r.run_id = any(run_ids)
        group by r.run_id, r.table_name
    ) as t
    group by t.run_id;
end
$$;
comment on function scout.run_contents(integer[]) is
'What each of these runs wrote: number of audit rows and decisions; sha256 over table, number and hash of its rows in every table.';

create function scout.row_contents(of_table text, ids bigint[])
returns table (row_count bigint, content_hash text)
language plpgsql stable rows 1
set timezone = 'UTC' set datestyle = 'ISO, YMD' set extra_float_digits = 1 set plan_cache_mode = force_custom_plan
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select
        count(*),
        encode(sha256(coalesce(string_agg(sha256(scout.utf8_bytes(r.row_text)), ''::bytea order by r.id), ''::bytea)), 'hex')
    from scout.v_sealed_rows as r
    where r.table_name = of_table and r.id = any(ids);
end
$$;
comment on function scout.row_contents(text, bigint[]) is 'How many of these rows are there, and the sha256 over the sha256 of each, by number.';

alter table scout.unsealed_rows
add column table_name text collate "C" not null default 'ops.lead_ledger_scout_backfill_audit';
alter table scout.unsealed_rows
alter column table_name drop default,
drop constraint unsealed_rows_pkey;
-- serves: a row waits once; a refresh takes them in this order
alter table scout.unsealed_rows add primary key (table_name, id);
comment on table scout.unsealed_rows is
'One row per row that no seal covers yet and no run will seal as its own. A refresh seals them before it begins.';
comment on column scout.unsealed_rows.table_name is 'With its schema, as in scout.v_append_only. scout.runs: a run that failed, with all that it wrote.';

create or replace function scout.note_unsealed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    -- the arguments are the column of the row's number, and that of its run where a run seals its own
    execute format(
        'insert into scout.unsealed_rows (table_name, id) select %L, n.%I from new_rows as n%s',
        tg_table_schema || '.' || tg_table_name,
        tg_argv[0],
        case when tg_nargs > 1 then format(' where n.%I is null', tg_argv[1]) else '' end
    );
    return null;
end
$$;
comment on function scout.note_unsealed() is 'Statement trigger of tables that only grow: what no run seals as its own waits for a seal.';

create function scout.note_failed_runs() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    insert into scout.unsealed_rows (table_name, id)
    select
        'scout.runs',
        n.ingestion_run_id
    from new_rows as n
    where n.event = 'FAILED' and exists (select from scout.runs as r where r.run_id = n.ingestion_run_id)
    on conflict (table_name, id) do nothing;
    return null;
end
$$;
comment on function scout.note_failed_runs() is 'Statement trigger of the log of runs: a run that failed waits for the seal of the next refresh.';

drop trigger scout_wait_for_seal on ops.lead_ledger_scout_backfill_audit;
create trigger scout_wait_for_seal after insert on ops.lead_ledger_scout_backfill_audit
referencing new table as new_rows
for each statement execute function scout.note_unsealed('id', 'ingestion_run_id');
create trigger scout_wait_for_seal after insert on ops.job_runs_audit
referencing new table as new_rows
for each statement execute function scout.note_failed_runs();
create trigger scout_wait_for_seal after insert on scout.alert_events
referencing new table as new_rows
for each statement execute function scout.note_unsealed('event_id', 'run_id');
create trigger scout_wait_for_seal after insert on scout.health_changes
referencing new table as new_rows
for each statement execute function scout.note_unsealed('id', 'run_id');
create trigger scout_wait_for_seal after insert on scout.outbox
referencing new table as new_rows
for each statement execute function scout.note_unsealed('message_id', 'run_id');
create trigger scout_wait_for_seal after insert on scout.delivery_log
referencing new table as new_rows
for each statement execute function scout.note_unsealed('id');
create trigger scout_wait_for_seal after insert on scout.quality_results
referencing new table as new_rows
for each statement execute function scout.note_unsealed('id');
create trigger scout_wait_for_seal after insert on scout.denials
referencing new table as new_rows
for each statement execute function scout.note_unsealed('id');
create trigger scout_wait_for_seal after insert on scout.export_audit
referencing new table as new_rows
for each statement execute function scout.note_unsealed('id');
create trigger scout_wait_for_seal after insert on scout.token_events
referencing new table as new_rows
for each statement execute function scout.note_unsealed('event_id');

-- What is there already and no seal covers: all of the tables that were not sealed, how sealed runs ended, runs that
-- failed, and rows that are older than the installation.
insert into scout.unsealed_rows (table_name, id)
with sealed_runs as (
    select distinct u.run_id
    from scout.seals as s
    cross join unnest(s.covered_run_ids) as u (run_id)
)

select 'scout.alert_events', a.event_id from scout.alert_events as a
union all
select 'scout.health_changes', h.id from scout.health_changes as h
union all
select 'scout.outbox', o.message_id from scout.outbox as o
union all
select 'scout.delivery_log', d.id from scout.delivery_log as d
union all
select 'scout.quality_results', q.id from scout.quality_results as q
union all
select 'scout.denials', d.id from scout.denials as d
union all
select 'scout.export_audit', e.id from scout.export_audit as e
union all
select 'scout.token_events', t.event_id from scout.token_events as t
union all
select 'ops.ingestion_runs', s.run_id from sealed_runs as s
union all
select 'ops.job_runs_audit', j.id
from ops.job_runs_audit as j
inner join sealed_runs as s on s.run_id = j.ingestion_run_id
where coalesce(j.event, '') not in ('STARTED', 'STEP', 'BATCH')
union all
select 'scout.runs', r.run_id
from scout.runs as r
inner join ops.ingestion_runs as i on i.id = r.run_id
where i.status = 'FAILED' and not exists (select from sealed_runs as s where s.run_id = r.run_id)
union all
select a.table_name, a.id
from (
    select 'ops.job_runs_audit', j.id, j.ingestion_run_id from ops.job_runs_audit as j
    union all
    select 'ops.identity_links_backfill_audit', l.id, l.ingestion_run_id from ops.identity_links_backfill_audit as l
    union all
    select 'ops.lead_events_scout_backfill_audit', e.id, e.ingestion_run_id from ops.lead_events_scout_backfill_audit as e
    union all
    -- those without a run wait or are sealed since schema file 16
    select 'ops.lead_ledger_scout_backfill_audit', g.id, g.ingestion_run_id from ops.lead_ledger_scout_backfill_audit as g
    where g.ingestion_run_id is not null
    union all
    select 'scout.decisions', d.decision_id, d.run_id from scout.decisions as d
) as a (table_name, id, run_id)
where not exists (select from scout.runs as r where r.run_id = a.run_id)
on conflict (table_name, id) do nothing;
