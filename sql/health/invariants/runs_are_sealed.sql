-- Every run that ended has its seal, and every row that only grows is in a seal or waits for one (I13)
with covered_runs as (
    select
        u.run_id,
        max(s.form_no) as form_no
    from scout.seals as s
    cross join lateral unnest(s.covered_run_ids) as u (run_id)
    group by u.run_id
),

-- of ours, at work or failed: their rows wait with them
open_runs as (
    select r.run_id
    from scout.v_runs as r
    where r.kind is not null
        and not exists (select from covered_runs as c where c.run_id = r.run_id)
        and (
            r.status = 'RUNNING'
            or (
                r.status = 'FAILED'
                and (
                    exists (select from scout.unsealed_rows as w where w.table_name = 'scout.runs' and w.id = r.run_id)
                    -- closed by hand: the next refresh takes it up
                    or not exists (
                        select from ops.job_runs_audit as j
                        where j.ingestion_run_id = r.run_id and j.event = 'FAILED'
                    )
                )
            )
        )
)

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
    'failed, in no seal and waits for none' as problem
from scout.v_runs as r
where r.kind is not null
    and r.status = 'FAILED'
    and not exists (select from covered_runs as c where c.run_id = r.run_id)
    and not exists (select from open_runs as o where o.run_id = r.run_id)
union all
select
    s.run_id,
    'seal of what waited that no refresh made, or over nothing' as problem
from scout.seals as s
where not exists (select from scout.v_run_seals as o where o.seal_no = s.seal_no)
    and (
        (s.covered_run_ids = '{}' and s.external_audit_ids = '{}' and s.covered_rows = '{}')
        or not exists (select from scout.v_runs as r where r.run_id = s.run_id and r.kind = 'refresh')
    )
union all
select
    a.run_id,
    a.table_name || ' ' || a.id || ' is in no seal and waits for none' as problem
from scout.v_sealed_rows as a
left join covered_runs as c on c.run_id = a.run_id
where (
        c.run_id is null
        -- what seals of form 1 cover of a run
        or (
            c.form_no = 1
            and a.table_name not in (
                'ops.identity_links_backfill_audit', 'ops.lead_ledger_scout_backfill_audit',
                'ops.lead_events_scout_backfill_audit', 'scout.runs', 'scout.decisions'
            )
            and not exists (
                select from scout.v_sealed_rows_1 as f
                where a.table_name = 'ops.job_runs_audit' and f.table_name = 'job_runs_audit' and f.id = a.id
            )
        )
    )
    and not exists (select from open_runs as o where o.run_id = a.run_id)
    and not exists (select from scout.v_sealed_ids as i where i.table_name = a.table_name and i.id = a.id)
    and not exists (select from scout.unsealed_rows as u where u.table_name = a.table_name and u.id = a.id)
union all
select
    null as run_id,
    u.table_name || ' ' || u.id || ' waits for its seal and is gone' as problem
from scout.unsealed_rows as u
where not exists (select from scout.v_sealed_rows as a where a.table_name = u.table_name and a.id = u.id);
