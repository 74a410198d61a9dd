-- Locks the registered ones of these persons, in key order as the job does, and their ledger rows: what the next
-- statement reads of them stays until the end. One row: how many are registered.
with locked_persons as materialized (
    select r.person_key
    from canon.identity_registry as r
    where r.person_key = any(cast(:person_keys as uuid []))
    order by r.person_key
    for no key update of r
),

locked_ledger as materialized (
    select l.person_key
    from observational.lead_ledger as l
    where l.person_key in (select p.person_key from locked_persons as p)
    order by l.person_key
    for no key update of l
)

select
    (select count(*) from locked_persons) as person_count,
    (select count(*) from locked_ledger) as ledger_count;
