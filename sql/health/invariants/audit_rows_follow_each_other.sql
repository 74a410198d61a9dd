-- Each audit row of the ledger starts from what the one before it ended in (I14)
select
    f.audit_id,
    f.person_key,
    f.old_attributed_scout_id,
    f.scout_before
from (
    select
        a.id as audit_id,
        a.person_key,
        a.old_attributed_scout_id,
        lag(a.new_attributed_scout_id) over chain as scout_before,
        lag(a.id) over chain as audit_id_before
    from ops.lead_ledger_scout_backfill_audit as a
    where a.backfill_timestamp >= (
        select f.value::timestamptz from scout.install_facts as f
        where f.name = 'installed_at'
    )
    window chain as (partition by a.person_key order by a.id)
) as f
where f.audit_id_before is not null
    and f.old_attributed_scout_id is distinct from f.scout_before
    and (
        select count(*) = 4 from pg_trigger as t
        where t.tgrelid = 'observational.lead_ledger'::regclass and t.tgname like 'scout_track_%' and t.tgenabled <> 'D'
    );
