-- What an audit row takes back was written before it, the other way round, and is taken back once (I15)
with reverts as (
    select
        'ledger' as table_name,
        a.id as audit_id,
        scout.reverted_id(a.notes) as reverted_audit_id,
        b.id is not null
        and b.id < a.id
        and b.person_key = a.person_key
        and coalesce(b.new_attributed_scout_id, 0) = coalesce(a.old_attributed_scout_id, 0)
        and coalesce(b.old_attributed_scout_id, 0) = coalesce(a.new_attributed_scout_id, 0) as is_the_other_way_round
    from ops.lead_ledger_scout_backfill_audit as a
    inner join scout.runs as r on r.run_id = a.ingestion_run_id
    left join ops.lead_ledger_scout_backfill_audit as b on b.id = scout.reverted_id(a.notes)
    where a.backfill_method = 'REVERT'
    union all
    select
        'links' as table_name,
        a.id as audit_id,
        scout.reverted_id(a.notes) as reverted_audit_id,
        b.id is not null
        and b.id < a.id
        and b.source_table = a.source_table
        and b.source_pk = a.source_pk
        and coalesce(b.person_key::text, '') = coalesce(a.person_key::text, '') as is_the_other_way_round
    from ops.identity_links_backfill_audit as a
    inner join scout.runs as r on r.run_id = a.ingestion_run_id
    left join ops.identity_links_backfill_audit as b on b.id = scout.reverted_id(a.notes)
    where a.action_type = 'REVERTED'
)

select
    r.table_name,
    r.audit_id,
    r.reverted_audit_id,
    'is not the other row the other way round' as problem
from reverts as r
where not r.is_the_other_way_round
union all
select
    r.table_name,
    max(r.audit_id) as audit_id,
    r.reverted_audit_id,
    'was taken back ' || count(*) || ' times' as problem
from reverts as r
group by r.table_name, r.reverted_audit_id
having count(*) > 1;
