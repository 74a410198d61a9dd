-- The scout in the ledger is the one that the newest audit row of the person says (I5, I14)
with newest as (
    select distinct on (a.person_key)
        a.person_key,
        a.new_attributed_scout_id,
        a.backfill_method
    from ops.lead_ledger_scout_backfill_audit as a
    -- what others wrote before we were installed nobody told us
    where a.backfill_timestamp >= (
        select f.value::timestamptz from scout.install_facts as f
        where f.name = 'installed_at'
    )
    order by a.person_key, a.id desc
)

select
    n.person_key,
    n.backfill_method,
    n.new_attributed_scout_id as audited_scout_id,
    l.attributed_scout_id as ledger_scout_id
from newest as n
left join observational.lead_ledger as l on l.person_key = n.person_key
where l.attributed_scout_id is distinct from n.new_attributed_scout_id
    -- without the tracking triggers nobody tells us what others write
    and (
        select count(*) = 4 from pg_trigger as t
        where t.tgrelid = 'observational.lead_ledger'::regclass and t.tgname like 'scout_track_%' and t.tgenabled <> 'D'
    );
