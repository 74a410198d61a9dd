-- One row per person: the newest audit row of the ledger since we are installed. What others wrote before that nobody
-- told us.
create or replace view scout.v_newest_ledger_audit as
select distinct on (a.person_key)
    a.id as audit_id,
    a.person_key,
    a.backfill_method,
    a.new_attributed_scout_id,
    a.updated_at_new
from ops.lead_ledger_scout_backfill_audit as a
where a.backfill_timestamp >= (
    select f.value::timestamptz from scout.install_facts as f
    where f.name = 'installed_at'
)
order by a.person_key, a.id desc;
