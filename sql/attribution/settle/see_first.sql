-- Evidence that is there without a created_at when we begin to look is older than everything. A range of persons.
with seen as (
    insert into scout.evidence_seen as t (piece, seen_at)
    select distinct
        e.piece,
        timestamptz '-infinity'
    from scout.v_evidence_age as e
    where e.created_at is null
        and e.seen_at is null
        and e.piece is not null
        and e.person_key > cast(:after_key as uuid)
        and e.person_key <= cast(:upto_key as uuid)
        and not (select s.is_evidence_seen from scout.state as s)
    on conflict (piece) do nothing
    returning 1
)

select count(*) as piece_count from seen;
