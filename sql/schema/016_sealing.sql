-- What others change is sealed by itself, in parts: a seal of a run costs what the run wrote, whatever others load.

-- First of all, in the order in which runs take their locks: who writes the audit now is waited for, so that each row
-- is either seen below or noted. Two seconds at a time, as ingest waits behind whoever waits.
do $$
begin
    for attempt in 1..20 loop
        begin
            set local lock_timeout = '2s';
            lock table ops.lead_ledger_scout_backfill_audit in share row exclusive mode;
            exit;
        exception when lock_not_available then
            if attempt = 20 then
                raise;
            end if;
        end;
        perform pg_sleep(1);
    end loop;
end
$$;

-- serves: which batches of dead runs no seal covers yet
create index if not exists scout_job_runs_audit_batches on ops.job_runs_audit (ingestion_run_id) where event = 'BATCH';

alter table scout.seals drop constraint seals_run_id_key;
-- serves: the seal of a run, of which there is one
create unique index seals_of_runs on scout.seals (run_id) where run_id = any(covered_run_ids);
comment on table scout.seals is
'One row per run, and before it per part of what others changed: sha256 over the audit rows, chained to the seal before (append-only). verify recomputes it.';
comment on column scout.seals.run_id is 'The run that sealed.';
comment on column scout.seals.covered_run_ids is
'The run itself; or runs that died after they had committed batches; or none, where the seal is of what others changed.';

create table scout.unsealed_rows (
    id bigint primary key
);
comment on table scout.unsealed_rows is
'One row per row of ops.lead_ledger_scout_backfill_audit without a run that no seal covers yet. A refresh seals them before it begins.';

create function scout.note_unsealed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    insert into scout.unsealed_rows (id)
    select n.id
    from new_rows as n
    where n.ingestion_run_id is null;
    return null;
end
$$;
comment on function scout.note_unsealed() is 'Statement trigger of the ledger''s audit: what belongs to no run waits for its seal.';

create trigger scout_wait_for_seal after insert on ops.lead_ledger_scout_backfill_audit
referencing new table as new_rows
for each statement execute function scout.note_unsealed();

insert into scout.unsealed_rows (id)
select a.id
from ops.lead_ledger_scout_backfill_audit as a
where a.ingestion_run_id is null
    and not exists (
        select from (
            select unnest(s.external_audit_ids) as id
            from scout.seals as s
        ) as k
        where k.id = a.id
    );
