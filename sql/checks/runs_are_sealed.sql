-- Every completed run of ours has its seal, and every audit row since the installation a run that is there (I13)
select
    r.run_id,
    'completed without a seal' as problem
from scout.v_runs as r
where r.kind is not null
    and r.status = 'COMPLETED'
    and not exists (select from scout.v_run_seals as s where s.run_id = r.run_id)
union all
select
    s.run_id,
    'sealed without a completed run' as problem
from scout.v_run_seals as s
where not exists (select from scout.v_runs as r where r.run_id = s.run_id and r.status = 'COMPLETED')
union all
select
    r.run_id,
    'batches of a run that died are in no seal, though a later refresh was sealed' as problem
from scout.v_runs as r
where r.status = 'FAILED'
    and exists (select from ops.job_runs_audit as j where j.ingestion_run_id = r.run_id and j.event = 'BATCH')
    and not exists (select from scout.seals as s where r.run_id = any(s.covered_run_ids))
    and exists (
        select from scout.seals as s
        inner join scout.v_runs as later on later.run_id = s.run_id
        where s.run_id > r.run_id and later.kind = 'refresh' and later.started_at > r.completed_at + interval '1 minute'
    )
union all
select
    s.run_id,
    'seal of what others wrote that no refresh made, or over nothing' as problem
from scout.seals as s
where not exists (select from scout.v_run_seals as o where o.seal_no = s.seal_no)
    and (
        (s.covered_run_ids = '{}' and s.external_audit_ids = '{}')
        or not exists (select from scout.v_runs as r where r.run_id = s.run_id and r.kind = 'refresh')
    )
union all
select
    null as run_id,
    'audit row ' || a.id || ' of no run is in no seal and waits for none' as problem
from ops.lead_ledger_scout_backfill_audit as a
where a.ingestion_run_id is null
    and not exists (select from scout.unsealed_rows as u where u.id = a.id)
    and not exists (select from scout.v_sealed_external_rows as k where k.id = a.id)
union all
select
    a.run_id,
    'audit row of a run that is not there' as problem
from (
    select
        l.ingestion_run_id as run_id,
        l.backfill_timestamp as written_at
    from ops.identity_links_backfill_audit as l
    union all
    select
        l.ingestion_run_id,
        l.backfill_timestamp
    from ops.lead_ledger_scout_backfill_audit as l
    -- what others changed belongs to no run; seals cover those rows by their ids
    where l.ingestion_run_id is not null or l.backfill_method is distinct from 'EXTERNAL_CHANGE'
    union all
    select
        l.ingestion_run_id,
        l.backfill_timestamp
    from ops.lead_events_scout_backfill_audit as l
    union all
    select
        j.ingestion_run_id,
        j.recorded_at
    from ops.job_runs_audit as j
) as a
where a.written_at >= (
        select f.value::timestamptz from scout.install_facts as f
        where f.name = 'installed_at'
    )
    and not exists (select from ops.ingestion_runs as r where r.id = a.run_id);
