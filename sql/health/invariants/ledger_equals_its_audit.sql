-- The scout in the ledger is the one that the newest audit row of the person says (I5, I14)
select
    n.person_key,
    n.backfill_method,
    n.new_attributed_scout_id as audited_scout_id,
    l.attributed_scout_id as ledger_scout_id
from scout.v_newest_ledger_audit as n
left join observational.lead_ledger as l on l.person_key = n.person_key
where l.attributed_scout_id is distinct from n.new_attributed_scout_id
    -- without the tracking triggers nobody tells us what others write
    and (
        select count(*) = 4 from pg_trigger as t
        where t.tgrelid = 'observational.lead_ledger'::regclass and t.tgname like 'scout_track_%' and t.tgenabled <> 'D'
    );
