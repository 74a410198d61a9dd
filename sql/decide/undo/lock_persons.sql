-- Locks one range of the persons that a run wrote, in key order as the job does, and their ledger rows: what the
-- next statement reads of them stays until the end. One row: how many.
with concerned as materialized (
    select a.person_key
    from ops.lead_ledger_scout_backfill_audit as a
    where a.ingestion_run_id = :target_run_id
        and (cast(:after_key as uuid) is null or a.person_key > cast(:after_key as uuid))
        and a.person_key <= cast(:upto_key as uuid)
    union
    select d.person_key
    from scout.decisions as d
    where d.run_id = :target_run_id
        and (cast(:after_key as uuid) is null or d.person_key > cast(:after_key as uuid))
        and d.person_key <= cast(:upto_key as uuid)
),

locked_persons as materialized (
    select r.person_key
    from concerned as c
    inner join canon.identity_registry as r on r.person_key = c.person_key
    order by r.person_key
    for no key update of r
),

locked_ledger as materialized (
    select l.person_key
    from locked_persons as p
    inner join observational.lead_ledger as l on l.person_key = p.person_key
    order by l.person_key
    for no key update of l
)

select
    (select count(*) from locked_persons) as person_count,
    (select count(*) from locked_ledger) as ledger_count;
