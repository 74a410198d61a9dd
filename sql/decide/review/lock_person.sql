-- Locks the person, as a decision does. One row: whether there is one.
with locked as (
    select r.person_key
    from canon.identity_registry as r
    where r.person_key = cast(:person_key as uuid)
    for no key update of r
)

select count(*) as person_count from locked;
