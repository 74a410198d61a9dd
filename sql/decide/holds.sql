-- Persons and source rows that are held since a run was undone.

-- name: list_open
select
    h.hold_id,
    h.subject,
    h.person_key::text as person_key,
    h.source_table,
    h.source_pk,
    h.reason,
    h.actor,
    h.run_id,
    h.held_at
from scout.holds as h
where h.released_at is null
    and (cast(:subject as text) is null or h.subject = cast(:subject as text))
    and (cast(:run_id as integer) is null or h.run_id = cast(:run_id as integer))
    and (cast(:key_from as uuid) is null or h.person_key >= cast(:key_from as uuid))
    and (cast(:key_to as uuid) is null or h.person_key <= cast(:key_to as uuid));

-- name: by_id
select h.hold_id from scout.holds as h
where h.hold_id = :hold_id;
